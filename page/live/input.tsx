import { useEffect, useState } from 'preact/hooks';
import type { InputDetail } from '../../src/ui/protocol.ts';
import { count, duration } from '../format.ts';
import { Scroll } from '../scroll.tsx';
import { ask, runPath } from './api.ts';
import { Dialog } from './dialog.tsx';
import { linkTo } from './place.ts';
import { Thrown } from './thrown.tsx';

/** One input and all that is known of it, beside the run. */
export function Input({ runId, index }: { runId: string; index: number }) {
  const [detail, setDetail] = useState<InputDetail>();
  const [refused, setRefused] = useState<string>();
  const load = async () => {
    setRefused(undefined);
    try {
      setDetail((await (await ask(runPath(runId, `inputs/${index}`))).json()) as InputDetail);
    } catch (error) {
      setRefused((error as Error).message);
    }
  };
  useEffect(() => void load(), []);
  return (
    <Dialog
      isAside
      title={`Input ${count(index)}`}
      onClose={() => {
        location.hash = linkTo(runId);
      }}
    >
      {(close) => (
        <>
          <p class="answers top">
            <button type="button" onClick={() => void load()}>
              Load again
            </button>
            <button type="button" onClick={close}>
              Close
            </button>
          </p>
          <p role="status">{refused ?? (detail ? '' : 'Loading…')}</p>
          {detail ? <Detail {...detail} /> : null}
        </>
      )}
    </Dialog>
  );
}

function Detail({ status, ms, worker, attempts, input, output, error, ...more }: InputDetail) {
  const { log, logLink, missing } = more;
  const facts: [name: string, value: string | undefined][] = [
    ['Status', status ?? 'no result yet'],
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
