/** US dollars, with as many digits as tell a small amount: `$1,204.50`, `$0.42`, `$0.0031`. */
export function moneyText(usd: number): string {
  if (usd > 0 && usd < 0.0001) return 'less than $0.0001';
  const digits = usd === 0 || usd >= 0.1 ? 2 : 4;
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return `$${usd.toLocaleString('en-US', options)}`;
}
