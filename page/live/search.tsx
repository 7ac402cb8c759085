import { IndexForm } from '../index-form.tsx';
import { linkTo } from './place.ts';

/** Opens one input by its index. */
export function Search({ runId, inputs }: { runId: string; inputs: number | undefined }) {
  const open = (index: number) => {
    location.hash = linkTo(runId, index);
  };
  return <IndexForm inputs={inputs} onIndex={open} />;
}
