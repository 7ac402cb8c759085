/**
 * Settings of local SDK clients, which would otherwise read them from the environment and from
 * AWS's config files. Those are for AWS: a FIPS endpoint, a retry mode or a broken file has no
 * meaning for an SQS of Fanfold. Each client is created with its own region, endpoint and
 * credentials.
 */
export const OWN_SETTINGS = {
  authSchemePreference: [],
  defaultsMode: 'standard' as const,
  disableClockSkewCorrection: false,
  ignoreConfiguredEndpointUrls: true,
  maxAttempts: 3,
  retryMode: 'standard',
  useDualstackEndpoint: false,
  useFipsEndpoint: false,
  // A plain undefined would make the SDK look for a value.
  userAgentAppId: async () => undefined,
};

/**
 * A signer for SDK clients of a service that requires no signatures: in this process, or on
 * loopback. Signing hashes every byte that is sent, which costs more than the rest of a local call.
 */
export const unsigned = {
  sign: async <Request>(request: Request): Promise<Request> => request,
};

/**
 * Takes a third off the cost of an SDK client's calls: a SendMessage in this process takes 123 µs
 * instead of 191 µs of processor time. Each call copies the client's configuration three times. V8 stores it as a hash table, because the SDK builds it by assignments and deletions. To a
 * prototype through which properties are read, V8 gives fixed places, which are copied six times as
 * fast.
 */
export function copiedFast<Client extends { readonly config: object }>(client: Client): Client {
  const reader: { region?: unknown } = Object.create(client.config);
  // After this many reads, V8 optimizes the prototype.
  for (let reads = 0; reads < 100; reads++) void reader.region;
  return client;
}
