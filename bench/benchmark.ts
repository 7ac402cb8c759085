/** Resources of a benchmark. */
export interface Bench {
  /** An empty folder of its own, removed afterwards. */
  folder: string;
  /** Aborts when the bench is interrupted, to end the processes that it started. */
  signal: AbortSignal;
}

/** One line of the table, measured in this run. */
export interface Figure {
  what: string;
  ours: string;
  /** The other side of the comparison, measured in the same run. */
  baseline?: string;
  ratio?: string;
  goal?: Goal;
}

export interface Goal {
  text: string;
  met: boolean;
}

/** Why a benchmark has no figures on this machine. */
export interface Skipped {
  skipped: string;
}

export interface Benchmark {
  /** Name in the table and on the command line. */
  name: string;
  about: string;
  /** True for a benchmark that takes long: it runs only with `--full` or by name. */
  long?: boolean;
  /** Rejects when a process fails or an output is wrong. */
  run(bench: Bench): Promise<readonly Figure[] | Skipped>;
}
