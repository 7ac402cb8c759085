import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { Sample } from './sample.ts';
import type { WorkerMetrics } from './telemetry.ts';

/**
 * Emits CloudWatch metrics with Powertools for AWS Lambda, as lines of its embedded metric format
 * on the process's output: `InputsOk`, `InputsFailed`, `InputsRetried`, `InputDuration`. The only
 * dimension is the service, the environment's POWERTOOLS_SERVICE_NAME. With a run's id as a
 * dimension, each run would make metrics of its own, which cost $0.30 a month each.
 */
export function powertoolsMetrics(): WorkerMetrics {
  const metrics = openMetrics();
  let counted = nothing();
  return {
    count({ failure, again, ms }) {
      if (!failure) counted.InputsOk++;
      else if (again) counted.InputsRetried++;
      else counted.InputsFailed++;
      counted.durations.add(ms);
    },
    flush() {
      const { durations, ...counts } = counted;
      counted = nothing();
      for (const [name, count] of Object.entries(counts)) {
        if (count > 0) metrics.addMetric(name, MetricUnit.Count, count);
      }
      // Last: Powertools emits everything by itself at the hundredth value.
      for (const ms of durations.values) {
        metrics.addMetric('InputDuration', MetricUnit.Milliseconds, Math.round(ms * 1000) / 1000);
      }
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    },
  };
}

/** Emits the metric `CollectorGivenUp`, which an alarm of the stack watches, in the same way. */
export function givenUpMetric(): () => void {
  const metrics = openMetrics();
  return () => {
    metrics.addMetric('CollectorGivenUp', MetricUnit.Count, 1);
    metrics.publishStoredMetrics();
  };
}

function openMetrics(): Metrics {
  return new Metrics({ namespace: process.env.POWERTOOLS_METRICS_NAMESPACE ?? 'Fanfold' });
}

function nothing() {
  return { InputsOk: 0, InputsFailed: 0, InputsRetried: 0, durations: new Sample() };
}
