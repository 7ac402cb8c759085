import { CfnResource, Stack } from 'aws-cdk-lib';
import { type IVpc, type SubnetSelection, Vpc } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { flattened } from './flattened.ts';

/** The services that workers call, as their VPC endpoints name them. */
export type CalledService = 'sqs' | 'lambda';

/**
 * Has the synthesis end with a sentence where workers could reach nothing: in isolated subnets of a
 * VPC that the app makes, without endpoints for the services that they call. Endpoints may be made
 * after the deployment, so the app is looked through when it is whole.
 */
export function checkReach(
  scope: Construct,
  vpc: IVpc | undefined,
  selection: SubnetSelection | undefined,
  services: readonly CalledService[],
): void {
  if (!(vpc instanceof Vpc)) return;
  const isolated = vpc.isolatedSubnets.map(({ subnetId }) => subnetId);
  if (!vpc.selectSubnets(selection).subnetIds.some((id) => isolated.includes(id))) return;
  scope.node.addValidation({
    validate: () => {
      const found = endpointsOf(scope);
      const missing = services.filter(
        (service) => !found.some((one) => one.endsWith(`.${service}`)),
      );
      if (missing.length === 0) return [];
      const calls = missing.map(
        (service) =>
          `vpc.addInterfaceEndpoint('${service}', { service: InterfaceVpcEndpointAwsService.${service.toUpperCase()} })`,
      );
      return [
        `workers in isolated subnets cannot reach ${missing.join(' and ')}: make endpoints, ${calls.join(' and ')}, or select subnets with a NAT by \`vpcSubnets\`.`,
      ];
    },
  });
}

/** The services of all interface endpoints that the app makes, such as `com.amazonaws..sqs`. */
function endpointsOf(scope: Construct): string[] {
  return scope.node.root.node
    .findAll()
    .filter(CfnResource.isCfnResource)
    .filter(({ cfnResourceType }) => cfnResourceType === 'AWS::EC2::VPCEndpoint')
    .map((endpoint) => {
      const { serviceName } = endpoint as CfnResource & { serviceName?: unknown };
      return String(flattened(Stack.of(endpoint).resolve(serviceName), () => ''));
    });
}
