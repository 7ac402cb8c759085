/** Reads a value that may be a URL of S3: the case of a scheme has no meaning (RFC 3986, 3.1). */
export function s3SchemeOf(value: string): string {
  return value.replace(/^s3:(?=\/)/i, 's3:');
}
