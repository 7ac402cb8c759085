import type { InputDetail } from '../src/report/report-data.ts';
import { count, duration } from './format.ts';
import { Scroll } from './scroll.tsx';
import { Thrown } from './thrown.tsx';

/** What is known of one input. */
export function Detail({
  status,
  ms,
  worker,
  attempts,
  input,
  output,
  error,
  ...more
}: InputDetail) {
  const { log, logLink, missing } = more;
  const facts: [name: string, value: string | undefined][] = [
    ['Status', status === 'unknown' ? undefined : (status ?? 'no result yet')],
    ['Attempts', attempts === undefined ? undefined : count(attempts)],
    ['Last attempt', ms === undefined ? undefined : duration(ms)],
    ['Worker', worker],
  ];
  return (
    <>
      <dl class="facts">
        {facts.map(([name, value]) =>
          value === undefined ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
      </dl>
      {error === undefined ? null : (
        <section>
          <h3>Error</h3>
          <Thrown text={error} />
        </section>
      )}
      <Value name="Input" text={input} />
      <Value name="Output" text={output} />
      <LogLines log={log} link={logLink} />
      {missing.map((sentence) => (
        <p class="quiet" key={sentence}>
          {sentence}
        </p>
      ))}
    </>
  );
}

function Value({ name, text }: { name: string; text: string | undefined }) {
  if (text === undefined) return null;
  return (
    <section>
      <h3>{name}</h3>
      <Scroll label={name}>
        <pre>{text}</pre>
      </Scroll>
    </section>
  );
}

function LogLines({ log, link }: { log: InputDetail['log']; link: string | undefined }) {
  if (log.length === 0 && link === undefined) return null;
  return (
    <section>
      <h3>Log</h3>
      {log.length === 0 ? null : (
        <Scroll label="Log lines">
          <ol class="log">
            {log.map(({ time, level, text }, at) => (
              <li key={at} class={/^(error|fatal|warn)/i.test(level) ? 'loud' : ''}>
                <small>
                  {time} {level}
                </small>
                <pre>{text}</pre>
              </li>
            ))}
          </ol>
        </Scroll>
      )}
      {link === undefined ? null : <LogLink link={link} />}
    </section>
  );
}

/** Only an address of the web is a link: another one could be a script. */
function LogLink({ link }: { link: string }) {
  if (!/^https?:\/\//i.test(link)) return <p class="text">{link}</p>;
  return (
    <p>
      <a href={link} target="_blank" rel="noreferrer">
        Log lines in CloudWatch Logs Insights
      </a>
    </p>
  );
}
