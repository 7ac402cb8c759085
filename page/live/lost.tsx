/** Says that the page shows the past. Not announced here: the page's status does that once. */
export function Lost({ why }: { why: string }) {
  return (
    <p class="notice lost">
      <strong>Disconnected.</strong> {why} The page tries again by itself.
    </p>
  );
}
