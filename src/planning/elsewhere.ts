import type { Prices } from './prices.ts';

/**
 * Prices of Step Functions in us-east-1, in USD: a state transition of a Standard workflow; a start
 * of an Express workflow, and a GB-second of it, whose duration is rounded up to 100 ms and whose
 * memory to 64 MB. Source: aws.amazon.com/step-functions/pricing, 2026-09.
 */
const STEP_FUNCTIONS = { transition: 0.000025, start: 0.000001, gbSecond: 0.00001667 };
const EXPRESS_GB = 64 / 1024;
const EXPRESS_SECONDS = 0.1;

/** Largest batch of SQS, and the default of Lambda's event source. */
const BATCH = 10;

/** Calls for a batch of messages: to send, receive and delete it, for inputs and for results. */
const CALLS = 6;

/** The work of a run, wherever it is done. */
export interface Work {
  inputs: number;
  /** Attempts at an input, on average. */
  attempts: number;
  /** Duration of an attempt, on average, in milliseconds. */
  attemptMs: number;
  memoryMb: number;
  architecture: 'arm64' | 'x86_64';
}

/** What the same work costs in another way. */
export interface Elsewhere {
  name: string;
  usd: number;
}

/** What the same work costs with other systems, without their logs, storage and transfer. */
export function costElsewhere(work: Work, { lambda, sqs }: Prices): Elsewhere[] {
  const { inputs, attempts, attemptMs, memoryMb, architecture } = work;
  const all = inputs * attempts;
  const seconds = Math.ceil(attemptMs) / 1000;
  const functions = all * seconds * (memoryMb / 1024) * lambda.gbSecond[architecture];
  const expressSeconds = Math.ceil((seconds * attempts) / EXPRESS_SECONDS) * EXPRESS_SECONDS;
  const express = STEP_FUNCTIONS.start + expressSeconds * EXPRESS_GB * STEP_FUNCTIONS.gbSecond;
  const each = functions + all * lambda.invocation;
  return [
    {
      name: "Step Functions' Distributed Map, a Standard child for each input",
      usd: each + all * STEP_FUNCTIONS.transition,
    },
    {
      name: "Step Functions' Distributed Map, an Express child for each input",
      usd: each + inputs * express,
    },
    {
      name: 'SQS with a message for each input, in batches of 10',
      usd: functions + (all / BATCH) * (lambda.invocation + CALLS * sqs.standard),
    },
  ];
}
