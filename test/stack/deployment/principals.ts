import type { Intrinsics } from './intrinsics.ts';
import { type Principal, readStatements, readTrust, type Statement } from './policies/index.ts';
import { type Place, type Resource, type Template, TemplateError } from './template.ts';

/** The resources of a type, each with its properties resolved. */
export function resourcesOf(
  template: Template,
  intrinsics: Intrinsics,
  type: string,
): { logicalId: string; properties: Record<string, unknown> }[] {
  return Object.entries(template.Resources)
    .filter(([, { Type }]) => Type === type)
    .map(([logicalId, { Properties = {} }]: [string, Resource]) => ({
      logicalId,
      // A resolved object is an object.
      properties: intrinsics.resolve(Properties, logicalId) as Record<string, unknown>,
    }));
}

/** Every role of a template as a principal, with all its attached policies. */
export function rolesOf(template: Template, intrinsics: Intrinsics, place: Place): Principal[] {
  const attached = attachedPolicies(template, intrinsics);
  const managed = managedPolicies(template, intrinsics);
  return resourcesOf(template, intrinsics, 'AWS::IAM::Role').map(({ logicalId, properties }) => {
    const { ref, attributes } = intrinsics.identity(logicalId);
    const { Policies = [], ManagedPolicyArns = [] } = properties as {
      Policies?: { PolicyDocument: unknown }[];
      ManagedPolicyArns?: string[];
    };
    const own = Policies.flatMap(({ PolicyDocument }) => readStatements(PolicyDocument, logicalId));
    const byArn = ManagedPolicyArns.flatMap((arn) => {
      const statements = managed.get(arn);
      if (statements) return statements;
      throw new TemplateError(`${logicalId} has the policy ${arn}, which is not known here.`);
    });
    const statements = [...own, ...byArn, ...(attached.get(ref) ?? [])];
    return {
      arn: attributes.Arn ?? '',
      label: logicalId,
      accountId: place.accountId,
      statements,
    };
  });
}

/** The ARNs of the roles that Lambda may assume for a function. */
export function assumableRoles(template: Template, intrinsics: Intrinsics): Set<string> {
  const roles = resourcesOf(template, intrinsics, 'AWS::IAM::Role').filter(
    ({ logicalId, properties }) =>
      readTrust(properties.AssumeRolePolicyDocument, logicalId).some(
        ({ effect, actions, principals = {} }) =>
          effect === 'Allow' &&
          actions.includes('sts:AssumeRole') &&
          principals.Service?.includes('lambda.amazonaws.com'),
      ),
  );
  return new Set(roles.map(({ logicalId }) => intrinsics.identity(logicalId).attributes.Arn ?? ''));
}

/** The statements of managed policies, by ARN. */
export function managedPolicies(
  template: Template,
  intrinsics: Intrinsics,
): Map<string, Statement[]> {
  return new Map(
    resourcesOf(template, intrinsics, 'AWS::IAM::ManagedPolicy').map(
      ({ logicalId, properties }) => [
        intrinsics.identity(logicalId).ref,
        readStatements(properties.PolicyDocument, logicalId),
      ],
    ),
  );
}

/** The statements of policies that name their roles, by role name. */
function attachedPolicies(template: Template, intrinsics: Intrinsics): Map<string, Statement[]> {
  const byRole = new Map<string, Statement[]>();
  for (const type of ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy']) {
    for (const { logicalId, properties } of resourcesOf(template, intrinsics, type)) {
      const { Roles = [], PolicyDocument } = properties as {
        Roles?: string[];
        PolicyDocument: unknown;
      };
      const statements = readStatements(PolicyDocument, logicalId);
      for (const role of Roles) byRole.set(role, [...(byRole.get(role) ?? []), ...statements]);
    }
  }
  return byRole;
}
