import { type IResource, Stack, Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { refuse } from './refuse.ts';

/** @throws FanfoldPropsError when a resource is known to be in another region than the stack */
export function checkRegion(scope: Construct, prop: string, resource: IResource | undefined): void {
  const region = resource?.env?.region;
  const { region: own } = Stack.of(scope);
  if (region === undefined || region === own) return;
  if (Token.isUnresolved(region) || Token.isUnresolved(own)) return;
  refuse(
    scope,
    `\`${prop}\` is in ${region} and the stack in ${own}: both must be in one region. Give one in ${own}.`,
  );
}
