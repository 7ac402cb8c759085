/**
 * The URL of a deployment's queue, made from the URL of another one: all queues of a deployment are in
 * one account and region, so their URLs differ in the name alone. Nothing that travels in a message
 * may name a URL: the SDK would send to its host.
 *
 * @param known the URL of any queue of the deployment, such as its task queue
 */
export function siblingUrl(known: string, name: string): string {
  return `${known.slice(0, known.lastIndexOf('/') + 1)}${name}`;
}
