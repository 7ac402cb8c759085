import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type Dashboard,
  type IMetric,
  MathExpression,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { makeDashboard, ownMetric } from './dashboard.ts';
import { checkTypes } from './prop-types.ts';
import { checkSeconds } from './props.ts';
import { refuse } from './refuse.ts';
import { checkRegion } from './same-region.ts';

/** The parts of a deployment that are monitored, which a `Fanfold` has. */
export interface Watched {
  readonly name: string;
  readonly taskQueue: IQueue;
  readonly laneQueue: IQueue;
  readonly deadLetterQueue: IQueue;
  readonly seedFunction: IFunction;
  readonly workerFunction: IFunction;
  readonly burstFunction: IFunction | undefined;
  readonly collectorFunction: IFunction | undefined;
  readonly seedLogs: ILogGroup;
  readonly workerLogs: ILogGroup;
  readonly burstLogs: ILogGroup | undefined;
  readonly collectorLogs: ILogGroup | undefined;
  /** Monitoring that the deployment already has. */
  readonly monitoring?: object | undefined;
}

/** Props of a `FanfoldMonitoring`. */
export interface MonitoringProps {
  /** The `Fanfold` to monitor. */
  readonly fanfold: Watched;
  /**
   * Topic for alarm notifications.
   * @default none: alarms are visible in CloudWatch
   */
  readonly alarmTopic?: ITopic;
  /**
   * Age of the oldest waiting task that raises an alarm: whole seconds, from 1 s to the 14 days
   * after which SQS deletes it.
   * @default 6 hours
   */
  readonly maxTaskAge?: Duration;
}

const PERIOD = Duration.minutes(5);

/** The task queue's retention, SQS's longest: no task waits longer than 14 days. */
const OLDEST_SECONDS = Duration.days(14).toSeconds();

/** Alarms and a dashboard for one deployment. */
export class FanfoldMonitoring extends Construct {
  /** `<name>-<region>`. */
  readonly dashboard: Dashboard;
  /**
   * By subject: DeadLetters, TaskAge, LaneAge, Stuck, Errors, Throttles, Recursion, LostSeeds, and
   * CollectorGivenUp if there is a collector function.
   */
  readonly alarms: Readonly<Record<string, Alarm>>;
  readonly #fanfold: Watched;
  readonly #topic: ITopic | undefined;

  /** @throws FanfoldPropsError when a prop is of another kind, or out of its range */
  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    checkTypes(this, props);
    if (props.fanfold.monitoring !== undefined) {
      refuse(
        this,
        '`fanfold` already has alarms and a dashboard, whose names these would have too: give it `monitoring: false`.',
      );
    }
    checkRegion(this, 'alarmTopic', props.alarmTopic);
    const { maxTaskAge = Duration.hours(6) } = props;
    // With 0 the alarm would never end, and above the maximum it would never be raised.
    checkSeconds(this, 'maxTaskAge', maxTaskAge, 1, OLDEST_SECONDS);
    this.#fanfold = props.fanfold;
    this.#topic = props.alarmTopic;
    this.alarms = this.#alarms(maxTaskAge);
    this.dashboard = makeDashboard(this, props.fanfold);
  }

  get #functions(): IFunction[] {
    const { seedFunction, workerFunction, burstFunction, collectorFunction } = this.#fanfold;
    const all = [seedFunction, workerFunction, burstFunction, collectorFunction];
    return all.filter((one) => one !== undefined);
  }

  #alarms(maxTaskAge: Duration): Record<string, Alarm> {
    const { taskQueue, laneQueue, deadLetterQueue, name } = this.#fanfold;
    const { seedFunction, workerFunction, collectorFunction } = this.#fanfold;
    const sum = { period: PERIOD, statistic: 'Sum' };
    const most = { period: PERIOD, statistic: 'Maximum' };
    return {
      DeadLetters: this.#alarm(
        'DeadLetters',
        deadLetterQueue.metricApproximateNumberOfMessagesVisible(most),
        1,
        `No worker could read some task messages: they are of another version, or not Fanfold's. Correct their sender, or deploy the same version everywhere; then run: fanfold redrive --stack ${name}`,
      ),
      TaskAge: this.#alarm(
        'TaskAge',
        taskQueue.metricApproximateAgeOfOldestMessage(most),
        maxTaskAge.toSeconds(),
        'A chunk has waited for a long time. Either the workers are too few: raise maxConcurrency, or wait. Or they fail or do not start: see the other alarms.',
      ),
      LaneAge: this.#alarm(
        'LaneAge',
        laneQueue.metricApproximateAgeOfOldestMessage(most),
        maxTaskAge.toSeconds(),
        'A chunk of a run with bounds has waited for a long time. Either the run is paused, or its concurrency or rate is low: change that, or wait. Or workers fail or do not start: see the other alarms.',
      ),
      // A chunk in a lane may be hidden for as long as the rate of its run needs. So this alarm is
      // for the task queue only.
      //
      // The age metric excludes messages received three times or more, such as those of workers
      // that receive tasks and never finish them.
      Stuck: this.#alarm(
        'Stuck',
        new MathExpression({
          label: 'chunks in flight, and none done',
          expression: 'IF(FILL(inFlight, 0) > 0 AND FILL(deleted, 0) == 0, 1, 0)',
          usingMetrics: {
            inFlight: taskQueue.metricApproximateNumberOfMessagesNotVisible(most),
            deleted: taskQueue.metricNumberOfMessagesDeleted(sum),
          },
          period: PERIOD,
        }),
        1,
        'Workers receive chunks, but completed none for half an hour: they die, are throttled, or run one input for that long. See their logs.',
        6,
      ),
      Errors: this.#alarm(
        'Errors',
        this.#sumOf('errors', (one) => one.metricErrors(sum)),
        1,
        'A function itself failed; failures of tasks are results instead. Nothing is lost, because the invocation is retried. See the log of the function.',
        3,
        2,
      ),
      Throttles: this.#alarm(
        'Throttles',
        new MathExpression({
          label: 'throttles',
          expression: 'FILL(seed, 0) + FILL(worker, 0)',
          usingMetrics: {
            seed: seedFunction.metricThrottles(sum),
            worker: workerFunction.metricThrottles(sum),
          },
          period: PERIOD,
        }),
        1,
        "Lambda throttled the start of workers: runs take longer, and nothing is lost. Lower maxConcurrency, or raise the account's limit of concurrent executions.",
        3,
      ),
      Recursion: this.#alarm(
        'Recursion',
        this.#sumOf('dropped', (one) => one.metric('RecursiveInvocationsDropped', sum)),
        1,
        'Lambda stopped a function because it invokes itself, which is intended and limited: its recursion setting was changed. Deploy again.',
      ),
      LostSeeds: this.#alarm(
        'LostSeeds',
        seedFunction.metric('AsyncEventsDropped', sum),
        1,
        'Lambda dropped an asynchronous invocation of the seed: a run lacks inputs, and its collector will report that at the deadline. See the log of the seed, and invoke it again with the same runId.',
      ),
      ...(collectorFunction && {
        CollectorGivenUp: this.#alarm(
          'CollectorGivenUp',
          ownMetric(name, 'CollectorGivenUp', sum),
          1,
          `The collector of a run failed again and again, and the watchdog restarts it no more. Its results wait for 14 days. See the log of the collector for the run and the error, correct the cause, then run: fanfold collect RUN --stack ${name}`,
        ),
      }),
    };
  }

  #alarm(
    id: string,
    metric: IMetric,
    threshold: number,
    alarmDescription: string,
    evaluationPeriods = 1,
    datapointsToAlarm = evaluationPeriods,
  ): Alarm {
    const alarm = new Alarm(this, id, {
      alarmName: `${this.#fanfold.name}-${id}`,
      alarmDescription,
      metric,
      threshold,
      evaluationPeriods,
      datapointsToAlarm,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    if (this.#topic) {
      alarm.addAlarmAction(new SnsAction(this.#topic));
      alarm.addOkAction(new SnsAction(this.#topic));
    }
    return alarm;
  }

  #sumOf(label: string, metricOf: (one: IFunction) => IMetric): MathExpression {
    const metrics = this.#functions.map((one, at) => [`m${at}`, metricOf(one)] as const);
    return new MathExpression({
      label,
      expression: metrics.map(([id]) => `FILL(${id}, 0)`).join(' + '),
      usingMetrics: Object.fromEntries(metrics),
      period: PERIOD,
    });
  }
}
