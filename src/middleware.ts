/** What an SDK client does to each call, or request, around what it does further in. */
export type Middleware = <Call, Answer>(
  next: (call: Call) => Promise<Answer>,
) => (call: Call) => Promise<Answer>;

/** An SDK client, as far as middleware can be added to it. */
export interface Extensible<Place> {
  middlewareStack: { add(middleware: Middleware, place: Place): void };
}
