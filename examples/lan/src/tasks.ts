import { defineTask } from 'fanfold';

/** Number of primes among the thousand numbers from `block * 1000`. */
export const primes = defineTask({
  name: 'primes',
  run(block: number) {
    let count = 0;
    for (let n = block * 1000; n < (block + 1) * 1000; n++) if (isPrime(n)) count++;
    return count;
  },
});

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return n > 1;
}
