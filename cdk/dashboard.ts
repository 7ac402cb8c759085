import { Duration, Stack } from 'aws-cdk-lib';
import {
  Dashboard,
  DashboardVariable,
  DefaultValue,
  GraphWidget,
  type IMetric,
  LogQueryWidget,
  Metric,
  type MetricOptions,
  VariableInputType,
  VariableType,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

/** The parts of a deployment that its dashboard shows. */
interface Shown {
  readonly name: string;
  readonly taskQueue: IQueue;
  readonly laneQueue: IQueue;
  readonly workerFunction: IFunction;
  readonly burstFunction: IFunction | undefined;
  readonly seedLogs: ILogGroup;
  readonly workerLogs: ILogGroup;
  readonly burstLogs: ILogGroup | undefined;
  readonly collectorLogs: ILogGroup | undefined;
}

/** Placeholder in the dashboard's query until a user enters a run id. */
const RUN = 'RUN-ID';

/** A metric that a deployment's functions emit themselves. */
export function ownMetric(name: string, metricName: string, options: MetricOptions): Metric {
  const dimensionsMap = { service: name };
  return new Metric({ namespace: 'Fanfold', metricName, dimensionsMap, ...options });
}

/** Makes a deployment's dashboard. */
export function makeDashboard(scope: Construct, fanfold: Shown): Dashboard {
  const { name, taskQueue, laneQueue, workerFunction, burstFunction } = fanfold;
  const { seedLogs, workerLogs, burstLogs, collectorLogs } = fanfold;
  const every = { period: Duration.minutes(1) };
  const of = (metricName: string, statistic: string, label: string) =>
    ownMetric(name, metricName, { statistic, label, ...every });
  const graph = (title: string, left: IMetric[], label: string) =>
    new GraphWidget({ title, left, leftYAxis: { min: 0, label, showUnits: false }, width: 12 });
  const concurrent = (one: IFunction, label: string) =>
    one.metric('ConcurrentExecutions', { statistic: 'Maximum', label, ...every });
  const dashboard = new Dashboard(scope, 'Dashboard', {
    // Dashboards belong to the account, not to a region.
    dashboardName: `${name}-${Stack.of(scope).region}`,
    defaultInterval: Duration.hours(3),
    variables: [
      new DashboardVariable({
        id: 'run',
        label: 'Run',
        type: VariableType.PATTERN,
        value: RUN,
        inputType: VariableInputType.INPUT,
        defaultValue: DefaultValue.value(RUN),
        visible: true,
      }),
    ],
  });
  dashboard.addWidgets(
    graph(
      'Tasks',
      [
        taskQueue.metricApproximateNumberOfMessagesVisible({ label: 'queued', ...every }),
        taskQueue.metricApproximateNumberOfMessagesNotVisible({ label: 'in flight', ...every }),
        laneQueue.metricApproximateNumberOfMessagesVisible({
          label: 'queued in lanes',
          ...every,
        }),
        laneQueue.metricApproximateNumberOfMessagesNotVisible({
          label: 'in flight in lanes',
          ...every,
        }),
      ],
      'chunks',
    ),
    graph(
      'Inputs',
      [
        of('InputsOk', 'Sum', 'done'),
        of('InputsFailed', 'Sum', 'failed'),
        of('InputsRetried', 'Sum', 'delayed for a retry'),
      ],
      'inputs a minute',
    ),
    graph(
      'Workers at once',
      [
        concurrent(workerFunction, 'scaled by the queue'),
        ...(burstFunction ? [concurrent(burstFunction, 'started by the seed')] : []),
      ],
      'invocations',
    ),
    graph(
      'How long inputs take',
      ['p50', 'p90', 'p99'].map((percentile) => of('InputDuration', percentile, percentile)),
      'milliseconds',
    ),
    new LogQueryWidget({
      title: 'One run: type its id above',
      logGroupNames: [seedLogs, workerLogs, burstLogs, collectorLogs].flatMap((logs) =>
        logs === undefined ? [] : [logs.logGroupName],
      ),
      queryLines: [
        'fields @timestamp, level, message, index, attempt, error.name, error.message',
        `filter runId = '${RUN}'`,
        'sort @timestamp desc',
        'limit 100',
      ],
      width: 24,
      height: 10,
    }),
  );
  return dashboard;
}
