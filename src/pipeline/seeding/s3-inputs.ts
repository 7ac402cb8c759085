import type { Format } from '../../inputs/extensions.ts';

/** Inputs that the seed reads from an S3 object: JSON lines, CSV with a header row, or text. */
export class S3Inputs {
  /** `s3://bucket/key`. */
  readonly url: string;
  /** The format; undefined if the key's extension implies it. */
  readonly format: Format | undefined;

  /**
   * @param url `s3://bucket/key`
   * @param format default: by the key's extension: .jsonl, .ndjson, .csv or .txt
   */
  constructor(url: string, format?: Format) {
    this.url = url;
    this.format = format;
  }
}
