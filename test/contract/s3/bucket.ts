import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';

type More<Input> = Partial<Omit<Input, 'Bucket' | 'Key'>>;

/** A bucket of a test. */
export class TestBucket {
  readonly client: S3Client;
  readonly name: string;

  constructor(client: S3Client, name: string) {
    this.client = client;
    this.name = name;
  }

  at(Key: string) {
    return { Bucket: this.name, Key };
  }

  put(
    key: string,
    Body: NonNullable<PutObjectCommandInput['Body']>,
    more: Omit<More<PutObjectCommandInput>, 'Body'> = {},
  ) {
    return this.client.send(new PutObjectCommand({ ...this.at(key), Body, ...more }));
  }

  get(key: string, more: More<GetObjectCommandInput> = {}) {
    return this.client.send(new GetObjectCommand({ ...this.at(key), ...more }));
  }

  async text(key: string, more: More<GetObjectCommandInput> = {}): Promise<string | undefined> {
    return (await this.get(key, more)).Body?.transformToString();
  }

  head(key: string) {
    return this.client.send(new HeadObjectCommand(this.at(key)));
  }

  delete(key: string) {
    return this.client.send(new DeleteObjectCommand(this.at(key)));
  }

  list(more: Partial<ListObjectsV2CommandInput> = {}) {
    return this.client.send(new ListObjectsV2Command({ Bucket: this.name, ...more }));
  }

  async keys(more: Partial<ListObjectsV2CommandInput> = {}): Promise<string[]> {
    return ((await this.list(more)).Contents ?? []).map(({ Key = '' }) => Key);
  }

  async begin(key: string, more: More<CreateMultipartUploadCommandInput> = {}): Promise<Upload> {
    const begun = new CreateMultipartUploadCommand({ ...this.at(key), ...more });
    const { UploadId = '' } = await this.client.send(begun);
    return this.upload(key, UploadId);
  }

  upload(key: string, id: string): Upload {
    return new Upload(this, key, id);
  }
}

interface Part {
  PartNumber: number;
  ETag: string | undefined;
}

/** A multipart upload of a test. */
export class Upload {
  readonly id: string;
  readonly key: string;
  readonly #bucket: TestBucket;

  constructor(bucket: TestBucket, key: string, id: string) {
    this.#bucket = bucket;
    this.key = key;
    this.id = id;
  }

  get at() {
    return { ...this.#bucket.at(this.key), UploadId: this.id };
  }

  async part(PartNumber: number, Body: Uint8Array | string): Promise<Part> {
    const { ETag } = await this.#bucket.client.send(
      new UploadPartCommand({ ...this.at, PartNumber, Body }),
    );
    return { PartNumber, ETag };
  }

  complete(Parts: Part[], more: { IfNoneMatch?: string; IfMatch?: string } = {}) {
    return this.#bucket.client.send(
      new CompleteMultipartUploadCommand({ ...this.at, MultipartUpload: { Parts }, ...more }),
    );
  }
}

/** How a call ended: the name of its error, and the status; undefined if it did not fail. */
export function refusal(call: Promise<unknown>): Promise<Refused | undefined> {
  return call.then(
    () => undefined,
    (error: { name: string; $metadata?: { httpStatusCode?: number } }) => ({
      name: error.name,
      status: error.$metadata?.httpStatusCode,
    }),
  );
}

interface Refused {
  name: string;
  status: number | undefined;
}
