/**
 * Reads a text once if it is repeated in a row: a client writes the same date and the same scope in
 * many requests.
 */
export function onceInARow<Value>(read: (text: string) => Value): (text: string) => Value {
  let last: { text: string; value: Value } | undefined;
  return (text) => {
    if (last?.text !== text) last = { text, value: read(text) };
    return last.value;
  };
}
