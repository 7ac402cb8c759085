import type { CloudWatchLogsClient, ResultField } from '@aws-sdk/client-cloudwatch-logs';
import { logsAt } from './endpoint/clients.ts';
import { FanfoldError } from './errors.ts';
import { createdAt, namesOf } from './pipeline/names.ts';
import { wait } from './retry.ts';

/** Log lines of one input on a stack. */
export interface StackLogs {
  /** The lines, oldest first, as the functions wrote them: JSON, except for lines of other code. */
  lines: string[];
  /** Whether there are more lines than Logs Insights returns. */
  isCut: boolean;
  /**
   * Number of inputs that the seed queued, according to its log; undefined if it has no line of
   * the runs. Looked up only if there are no lines.
   */
  inputs: number | undefined;
}

/** Most lines of one query, the limit of Logs Insights. */
const MOST_LINES = 10_000;

const POLL_MS = 500;

/** Time range of the query around the lifetime of a run, in seconds: clocks differ. */
const MARGIN_SECONDS = 300;

/** A run's queue exists no longer: 14 days, SQS's longest retention. */
const RUN_SECONDS = 14 * 86_400;

/**
 * Reads the log lines of one input, in all of its attempts, with CloudWatch Logs Insights.
 *
 * @param runIds runs of the input: resuming a run can start another one
 * @throws FanfoldError `BadOption` for a stack without logs, `RunFailed` when a query fails. Errors
 *   of AWS are the SDK's own, with an explanation
 */
export async function readStackLogs(
  stack: string,
  runIds: readonly string[],
  index: number,
): Promise<StackLogs> {
  const { seed, worker, burst } = namesOf(stack);
  const client = await logsAt({ stack });
  try {
    const query = { client, runIds, limit: MOST_LINES };
    const text = linesOfInput(index);
    const found =
      (await results({ ...query, functions: [worker, burst], text })) ??
      // A stack without burst workers has no log of them.
      (await results({ ...query, functions: [worker], text }));
    if (found === undefined) {
      throw new FanfoldError(
        'BadOption',
        `There is no log group ${groupOf(worker)} in this account and region: check the name of the stack, and AWS_REGION.`,
      );
    }
    if (found.length > 0)
      return { lines: found, isCut: found.length >= MOST_LINES, inputs: undefined };
    // The last page of the run with the most inputs.
    const pages = {
      functions: [seed],
      text: 'filter ispresent(first) | sort first desc',
      limit: 1,
    };
    const [last] = (await results({ ...query, ...pages })) ?? [];
    return { lines: [], isCut: false, inputs: inputsIn(last) };
  } finally {
    client.destroy();
  }
}

/** The address of Logs Insights with the query for one input's lines, in the AWS console. */
export async function logsInsightsLink(
  stack: string,
  runId: string,
  index: number,
): Promise<string> {
  const { worker, burst } = namesOf(stack);
  const client = await logsAt({ stack });
  const region = await client.config.region().finally(() => client.destroy());
  const [from, to] = timesOf([runId]).map((seconds) => new Date(seconds * 1000).toISOString());
  const query = `${selectionOf([runId])} | ${linesOfInput(index)}`;
  const groups = [worker, burst].map((name) => `~'${consoleText(groupOf(name))}`).join('');
  const time = `end~'${consoleText(to ?? '')}~start~'${consoleText(from ?? '')}~timeType~'ABSOLUTE~tz~'UTC`;
  const detail = `~(${time}~editorString~'${consoleText(query)}~source~(${groups}))`;
  return `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#logsV2:logs-insights$3FqueryDetail$3D${detail}`;
}

/** A text as the console's addresses have it: `*` stands for the percent sign. */
function consoleText(text: string): string {
  const encoded = encodeURIComponent(text).replace(
    /[!'()*~]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
  return encoded.replaceAll('%', '*').replace(/\*[\dA-F]{2}/g, (code) => code.toLowerCase());
}

function selectionOf(runIds: readonly string[]): string {
  return `fields @timestamp, @message | filter runId in ${JSON.stringify(runIds)}`;
}

function linesOfInput(index: number): string {
  return `filter index = ${index} | sort @timestamp asc`;
}

/** The time range in which runs may have lines, in seconds since 1970. */
function timesOf(runIds: readonly string[]): [from: number, to: number] {
  const times = runIds.map((runId) => Math.floor((createdAt(runId) ?? 0) / 1000));
  const now = Math.ceil(Date.now() / 1000);
  const to = Math.min(now, Math.max(...times) + RUN_SECONDS);
  return [Math.min(...times) - MARGIN_SECONDS, to + MARGIN_SECONDS];
}

interface Query {
  client: CloudWatchLogsClient;
  /** Names of the functions whose logs are searched. */
  functions: readonly string[];
  runIds: readonly string[];
  /** Steps of the query after the selection of the runs. */
  text: string;
  limit: number;
}

/** The messages that a query finds; undefined if one of the functions has no log. */
async function results(query: Query): Promise<string[] | undefined> {
  const { client, functions, runIds, text, limit } = query;
  const { GetQueryResultsCommand, ResourceNotFoundException, StartQueryCommand } = await import(
    '@aws-sdk/client-cloudwatch-logs'
  );
  const [startTime, endTime] = timesOf(runIds);
  const started = new StartQueryCommand({
    logGroupNames: functions.map(groupOf),
    ...{ startTime, endTime },
    queryString: `${selectionOf(runIds)} | ${text}`,
    limit,
  });
  const answer = await client.send(started).catch((error: unknown) => {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  });
  if (answer === undefined) return undefined;
  const { queryId } = answer;
  for (;;) {
    const { status, results: rows = [] } = await client.send(
      new GetQueryResultsCommand({ queryId }),
    );
    if (status === 'Complete') return rows.flatMap(messageOf);
    if (status !== 'Scheduled' && status !== 'Running') {
      throw new FanfoldError(
        'RunFailed',
        `CloudWatch Logs Insights ended the query with the status ${status}: try again.`,
      );
    }
    await wait(POLL_MS);
  }
}

function groupOf(name: string): string {
  return `/aws/lambda/${name}`;
}

function messageOf(row: ResultField[]): string[] {
  const message = row.find(({ field }) => field === '@message')?.value;
  return message === undefined ? [] : [message.trimEnd()];
}

/** Number of inputs up to the end of a page, from the seed's line about it. */
function inputsIn(text = '{}'): number | undefined {
  const { first, count } = JSON.parse(text) as { first?: unknown; count?: unknown };
  return typeof first === 'number' && typeof count === 'number' ? first + count : undefined;
}
