/** A broken variant of the pipeline: one line of one file, found by its text and replaced. */
export interface Mutant {
  name: string;
  file: string;
  find: string;
  replace: string;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'a task message is deleted before its results are reported',
    file: 'src/pipeline/working/handling.ts',
    find: 'await this.#report.finish();',
    replace: 'void this.#report.finish().catch(() => {});',
  },
  {
    name: 'duplicates are not dropped',
    file: 'src/pipeline/collecting/ledger.ts',
    find: 'if (this.#settled.has(index)) {',
    replace: 'if (this.#settled.has(index) && index < 0) {',
  },
  {
    name: 'claims are not renewed',
    file: 'src/pipeline/working/claim.ts',
    find: 'if (this.lost) return;',
    replace: 'return;',
  },
  {
    name: 'an item starts on a claim that may end before it',
    file: 'src/pipeline/working/claim.ts',
    find: 'this.#untilMs !== undefined && heldMs + seconds * 1000 <= this.#untilMs;',
    replace: 'this.#untilMs !== undefined;',
  },
  {
    name: 'new chunks are sent after a lost claim',
    file: 'src/pipeline/working/handling.ts',
    find: "lineages must not multiply.\n    if (claim.lost) return 'keep';",
    replace: 'lineages must not multiply.',
  },
  {
    name: 'what a batch call refuses is not sent again',
    file: 'src/pipeline/send.ts',
    find: 'if (Failed.length === 0) return;',
    replace: 'if (Failed.length >= 0) return;',
  },
  {
    name: "the rest is lost at the slice's end",
    file: 'src/pipeline/working/handling.ts',
    find: '...messagesOf(rest, left,',
    replace: '...messagesOf(rest, left.slice(0, 0),',
  },
  {
    name: 'a cut drops the item in the middle',
    file: 'src/pipeline/working/resend.ts',
    find: 'return cut(texts,',
    replace: 'return cut(texts.filter((_, at) => texts.length < 3 || at !== texts.length >> 1),',
  },
  {
    name: 'results are acknowledged before they are taken',
    file: 'src/pipeline/collecting/run.ts',
    find: 'yield* this.#taken(fresh);\n          collector.acknowledge(delivery);',
    replace: 'collector.acknowledge(delivery);\n          yield* this.#taken(fresh);',
  },
  {
    name: 'an ordered run acknowledges what it keeps for later',
    file: 'src/pipeline/collecting/order.ts',
    find: 'if (last < this.#next) this.#through.push({ receiptHandles });',
    replace: 'if (last >= 0) this.#through.push({ receiptHandles });',
  },
  {
    name: 'a missing queue is believed at once',
    file: 'src/pipeline/queues.ts',
    find: "return sure && !young ? 'over' : 'unsure';",
    replace: "return 'over';",
  },
  {
    name: 'a further attempt forgets which it is',
    file: 'src/pipeline/working/resend.ts',
    find: 'attempt: chunk.attempt + 1',
    replace: 'attempt: chunk.attempt',
  },
  {
    name: 'a message that is to be kept is deleted',
    file: 'src/pipeline/working/pull.ts',
    find: "return one?.status === 'fulfilled' && one.value === 'done';",
    replace: "return one?.status === 'fulfilled';",
  },
  {
    name: 'a message whose handling failed is deleted',
    file: 'src/handlers/worker.ts',
    find: "SQS redelivers it', error);\n      return false;",
    replace: "SQS redelivers it', error);\n      return true;",
  },
  {
    name: 'the claim is taken after the module is loaded',
    file: 'src/handlers/worker.ts',
    find: 'const claimed = await Promise.all(',
    replace: 'await tasksOf();\n    const claimed = await Promise.all(',
  },
  {
    name: 'a failed load keeps its chunk hidden',
    file: 'src/handlers/worker.ts',
    find: 'await release(hand);\n      endInvocation',
    replace: 'for (const { claim } of hand) claim.end();\n      endInvocation',
  },
  {
    name: 'the seed answers before its chunks are accepted',
    file: 'src/pipeline/seeding/seed.ts',
    find: 'await sendAll(',
    replace: 'void sendAll(',
  },
  {
    name: 'a message that nobody can read is dropped',
    file: 'src/pipeline/working/work.ts',
    find: 'await sendAll(sqs, deadQueueUrl, [{ body }]);',
    replace: '',
  },
  {
    name: 'an input is condemned at its second announcement',
    file: 'src/pipeline/collecting/suspects.ts',
    find: 'const BEGUN = 6;',
    replace: 'const BEGUN = 2;',
  },
  {
    name: 'an input that kills is never condemned',
    file: 'src/pipeline/collecting/suspects.ts',
    find: 'return ids.size >= BEGUN;',
    replace: 'return false;',
  },
  {
    name: 'a chunk that came again is run as it is',
    file: 'src/pipeline/working/work.ts',
    find: 'if (chunk.items.length > 1) return',
    replace: 'if (chunk.items.length > 1_000) return',
  },
  {
    name: 'a run that is cancelled forgets the results that it drains',
    file: 'src/pipeline/collecting/ending.ts',
    find: 'batches.push(...intake.enter(delivery));',
    replace: 'intake.enter(delivery);',
  },
  {
    name: 'a run that goes on takes pages for seeded that are on their way',
    file: 'src/pipeline/seeding/seeding.ts',
    find: 'return Math.min(this.#first, ...this.#unanswered);',
    replace: 'return this.#first;',
  },
  {
    name: 'results of another run are taken',
    file: 'src/pipeline/messages/result-message.ts',
    find: 'more.runId === runId &&',
    replace: '',
  },
  {
    name: 'a result is written without a look at its output',
    file: 'src/pipeline/messages/result-scan.ts',
    find: 'skipCompactJson(text, value, to);',
    replace: 'text.indexOf(MS, value);',
  },
  {
    name: 'a notice about another run ends this one',
    file: 'src/pipeline/messages/notice.ts',
    find: 'known && fields.runId === runId',
    replace: 'known',
  },
  {
    name: 'a run that goes on trusts half a line',
    file: 'src/cli/resume/result-lines.ts',
    find: 'return bytes.lastIndexOf(NEWLINE) + 1;',
    replace: 'return bytes.length;',
  },
  {
    name: 'a clock is never corrected',
    file: 'src/clock.ts',
    find: 'if (date === undefined) return;',
    replace: 'return;',
  },
  {
    name: "a run's id has the time of its caller's own clock",
    file: 'src/pipeline/collecting/run.ts',
    find: 'newRunId(now)',
    replace: 'newRunId()',
  },
  {
    name: "a chunk expires by its worker's own clock",
    file: 'src/pipeline/working/work.ts',
    find: 'if (serviceNow(sqs) > chunk.expiresAt)',
    replace: 'if (Date.now() > chunk.expiresAt)',
  },
  {
    name: "a run ends by its collector's own clock",
    file: 'src/pipeline/collecting/deadline.ts',
    find: 'this.#expiresAt - serviceNow(this.#sqs)',
    replace: 'this.#expiresAt - Date.now()',
  },
  {
    name: "messages are read by their worker's own clock",
    file: 'src/pipeline/working/work.ts',
    find: 'now: serviceNow(sqs) }',
    replace: 'now: Date.now() }',
  },
];
