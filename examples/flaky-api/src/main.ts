import { connect, withCauses } from 'fanfold';
import { startApi } from './server.ts';
import { weather } from './tasks.ts';

await using api = await startApi();
await using fanfold = await connect();
const paths = ['/berlin', '/busy/oslo', '/broken/rome', '/missing', '/silent'];
const run = fanfold.map(
  weather,
  paths.map((path) => ({ url: api.url + path })),
  { ordered: true },
);
for await (const result of run) {
  const path = paths[result.index];
  if (result.status === 'ok') console.log(path, `ok at attempt ${result.output.attempt}`);
  if (result.status === 'failed') {
    const { code, attempts } = result.error;
    console.log(path, `${code} after ${attempts} attempts: ${withCauses(result.error)}`);
  }
}
console.log(run.ledger);
