import { pageOf, policyOf } from './page.ts';
import { packed, type ReportData } from './report-data.ts';

/** A report as one file, which needs no network and no other file. */
export async function reportHtml(data: ReportData): Promise<string> {
  const page = await pageOf('report');
  const { script, style } = page;
  return `<!doctype html>
<html lang="en" data-fanfold-report>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policyOf(page)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(data.task)}: Fanfold report</title>
<style>${style}</style>
</head>
<body>
<div id="root"></div>
<noscript>This report needs JavaScript, from this file only.</noscript>
<script type="application/json" id="report">${inScript(JSON.stringify(packed(data)))}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** Text as HTML. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** JSON that cannot end the element that it stands in. */
function inScript(json: string): string {
  return json.replaceAll('<', '\\u003c');
}
