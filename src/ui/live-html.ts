import { type Page, pageOf, policyOf } from '../report/page.ts';

/** A page, and the policy for its `Content-Security-Policy` header. */
export interface Html {
  text: string;
  policy: string;
}

let built: Promise<Html> | undefined;

/** The live page, which is the same for every run. */
export function liveHtml(): Promise<Html> {
  built ??= pageOf('live').then((page) => htmlOf(page, 'Fanfold', '<div id="root"></div>'));
  return built;
}

/** @param body as HTML */
export function htmlOf(page: Page, title: string, body: string): Html {
  const text = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${page.style}</style>
</head>
<body>
${body}
<noscript>This page needs JavaScript, which is in the page itself.</noscript>
<script>${page.script}</script>
</body>
</html>
`;
  return { text, policy: policyOf(page, "connect-src 'self'", "frame-ancestors 'none'") };
}
