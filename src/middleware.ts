/** Code that an SDK client runs around each call or request. */
export type Middleware = <Call, Answer>(
  next: (call: Call) => Promise<Answer>,
) => (call: Call) => Promise<Answer>;

/** An SDK client to which middleware can be added. */
export interface Extensible<Place> {
  middlewareStack: { add(middleware: Middleware, place: Place): void };
}
