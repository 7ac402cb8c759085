import { expect, it } from 'vitest';
import { rewrite } from './rewrite.ts';

const CLAIM = `
export class Claim {
  get lost(): boolean {
    return this.#until < performance.now();
  }

  /** Asks SQS for more time. */
  async #extend(seconds: number): Promise<void> {
    if (this.lost) return; // It is another worker's.
    await this.#change(seconds);
  }
}
`;

/** The same with other local names, comments, formatting and order. */
const MOVED = `
const MORE = 20 as const;
export class Claim<Queue extends string> {
  async #extend(
    more: number = MORE,
  ): Promise<void> {
    if (
      // Whoever has it now works on it.
      this.lost
    ) {
      return;
    }
    await this.#change(more satisfies number);
  }
  get lost(): boolean { return this.#until < performance.now(); }
}
`;

const node = 'MethodDefinition[key.name="extend"] IfStatement[test.property.name="lost"] > .test';

it('a rewrite finds a node whatever its names, format and place are, and replaces it', () => {
  for (const source of [CLAIM, MOVED]) {
    const found: string[] = [];
    const becomes = ({ text }: { text: string }) => {
      found.push(text);
      return 'true';
    };
    const rewritten = rewrite('claim.ts', source, { node, becomes });
    expect(found).toEqual(['this.lost']);
    expect(rewritten).toMatch(/if \(\s*(\/\/.*\s*)?true\s*\)/);
    expect(rewritten.length).toBe(source.length - 'this.lost'.length + 'true'.length);
  }
});

it('a rewrite returns the texts of nodes inside, and elsewhere in the file', () => {
  const rewritten = rewrite('claim.ts', CLAIM, {
    node: 'MethodDefinition[key.name="extend"] IfStatement',
    becomes: ({ of, elsewhere }) =>
      `if (${of('.test')} || ${elsewhere('MethodDefinition[key.name="lost"] BinaryExpression')}) return;`,
  });
  expect(rewritten).toContain('if (this.lost || this.#until < performance.now()) return;');
});

it.each([
  ['none', 'MethodDefinition[key.name="renew"]', '; 0 were found.'],
  ['several', 'MethodDefinition', '; 2 were found, in lines 3, 8.'],
])('a rewrite names the place when a selector finds %s', (_, selector, found) => {
  const change = { node: selector, becomes: '' };
  expect(() => rewrite('claim.ts', CLAIM, change)).toThrow(
    `claim.ts: one node was expected for the selector ${selector}${found}`,
  );
});

it('a rewrite refuses text that is not a program', () => {
  expect(() => rewrite('claim.ts', CLAIM, { node, becomes: 'if' })).toThrow('cannot be parsed');
});
