import { Annotations, CfnResource, Stack } from 'aws-cdk-lib';
import { type IVpc, type SubnetSelection, Vpc } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { flattened } from './flattened.ts';

/** Services that workers call, by the names in their VPC endpoints. */
export type CalledService = 'sqs' | 'lambda';

/**
 * Makes synthesis fail if workers could reach no service: in isolated subnets of a VPC that the app
 * creates, without endpoints for the services that they call. Without an endpoint for S3, there is
 * only a warning. Endpoints may be added after the construct, so the check runs when the app is
 * complete.
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
      if (!found.some((one) => one.endsWith('.s3'))) warnOfS3(scope);
      const missing = services.filter(
        (service) => !found.some((one) => one.endsWith(`.${service}`)),
      );
      if (missing.length === 0) return [];
      const calls = missing.map(
        (service) =>
          `vpc.addInterfaceEndpoint('${service}', { service: InterfaceVpcEndpointAwsService.${service.toUpperCase()} })`,
      );
      return [
        `workers in isolated subnets cannot reach ${missing.join(' and ')}: create endpoints (${calls.join(' and ')}), or select subnets with a NAT in \`vpcSubnets\`.`,
      ];
    },
  });
}

function warnOfS3(scope: Construct): void {
  Annotations.of(scope).addWarningV2(
    'fanfold:noS3',
    "workers in isolated subnets cannot reach S3, which inputs and outputs need that do not fit in a message: they would fail. Create an endpoint, which is free: vpc.addGatewayEndpoint('s3', { service: GatewayVpcEndpointAwsService.S3 }).",
  );
}

/** Services of all VPC endpoints that the app creates, such as `com.amazonaws..sqs`. */
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
