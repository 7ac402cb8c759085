import type { Intrinsics } from './intrinsics.ts';
import { resourcesOf } from './principals.ts';
import { type Template, TemplateError } from './template.ts';

/** Dimensions of AWS's metrics, and the resources that they are of. */
const DIMENSIONS: Readonly<Record<string, string>> = {
  FunctionName: 'AWS::Lambda::Function',
  QueueName: 'AWS::SQS::Queue',
};

/**
 * Refuses alarms and dashboards for resources that the stack does not have. AWS accepts them, but
 * they would watch nothing.
 */
export function checkWatched(template: Template, intrinsics: Intrinsics): void {
  const names = new Map(
    Object.entries(DIMENSIONS).map(([dimension, type]) => {
      const resources = resourcesOf(template, intrinsics, type);
      const known = resources.map(({ logicalId, properties }) =>
        String(properties[dimension] ?? intrinsics.identity(logicalId).ref),
      );
      return [dimension, new Set(known)];
    }),
  );
  const check = (where: string, dimension: unknown, value: unknown) => {
    const known = names.get(String(dimension));
    if (known === undefined || known.has(String(value))) return;
    throw new TemplateError(`${where} watches the ${dimension} ${value}, which is not there.`);
  };
  for (const { logicalId, properties } of resourcesOf(template, intrinsics, ALARM)) {
    walk(properties, (value) => {
      if (!Array.isArray(value) && 'Name' in value) check(logicalId, value.Name, value.Value);
    });
  }
  for (const { logicalId, properties } of resourcesOf(template, intrinsics, DASHBOARD)) {
    // A metric is a list: namespace, name, then dimensions with their values.
    walk(JSON.parse(String(properties.DashboardBody)), (value) => {
      if (!Array.isArray(value)) return;
      value.forEach((item, at) => {
        check(logicalId, item, value[at + 1]);
      });
    });
  }
}

const ALARM = 'AWS::CloudWatch::Alarm';
const DASHBOARD = 'AWS::CloudWatch::Dashboard';

type Structure = unknown[] | Record<string, unknown>;

function walk(value: unknown, visit: (value: Structure) => void): void {
  if (typeof value !== 'object' || value === null) return;
  visit(value as Structure);
  for (const inner of Object.values(value)) walk(inner, visit);
}
