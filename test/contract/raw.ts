/** Requests as sent over the wire, with the same interface for both of SQS's protocols. */

export const PROTOCOLS = ['JSON', 'Query'] as const;
export type ProtocolName = (typeof PROTOCOLS)[number];

export interface RawRequest {
  body: string;
  headers: Record<string, string>;
}

/** An action and its parameters, in the shape of SQS's service model. */
export function rawRequest(protocol: ProtocolName, action: string, parameters: object): RawRequest {
  if (protocol === 'JSON') {
    const headers = {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AmazonSQS.${action}`,
    };
    return { headers, body: JSON.stringify(parameters) };
  }
  const form = new URLSearchParams({ Action: action, Version: '2012-11-05' });
  for (const [name, value] of Object.entries(parameters)) addField(form, action, name, value);
  return {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
  };
}

/** Maps, by the name of their keys. */
const MAPS: Record<string, string> = { Attribute: 'Name', MessageAttribute: 'Name', Tag: 'Key' };

/** Flattens a value to fields: lists are numbered from 1, by the singular of their names. */
function addField(form: URLSearchParams, action: string, path: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) {
    form.append(path, String(value));
    return;
  }
  const at = path.lastIndexOf('.') + 1;
  const plural = path.slice(at);
  const singular =
    plural === 'Entries'
      ? `${action}RequestEntry`
      : plural === 'Actions'
        ? 'ActionName'
        : plural.slice(0, -1);
  const base = path.slice(0, at) + singular;
  const key = MAPS[singular];
  if (Array.isArray(value)) {
    value.forEach((item, n) => {
      addField(form, action, `${base}.${n + 1}`, item);
    });
  } else if (key) {
    Object.entries(value).forEach(([name, item], n) => {
      form.append(`${base}.${n + 1}.${key}`, name);
      addField(form, action, `${base}.${n + 1}.Value`, item);
    });
  } else {
    for (const [name, item] of Object.entries(value))
      addField(form, action, `${path}.${name}`, item);
  }
}

export interface RawRefusal {
  status: number;
  /** `__type` in JSON, the code in Query. */
  type: string;
  /** Both protocols return it, JSON in a header. */
  code: string;
  message: string;
}

export async function rawRefusal(response: Response): Promise<RawRefusal> {
  const text = await response.text();
  const { status } = response;
  if (response.headers.get('content-type') === 'text/xml') {
    const [, code = ''] = /<Code>([^<]*)<\/Code>/.exec(text) ?? [];
    const [, message = ''] = /<Message>([^<]*)<\/Message>/.exec(text) ?? [];
    const sender = /<Type>Sender<\/Type>/.test(text) ? '' : ' without its type';
    return { status, type: code + sender, code: code + sender, message };
  }
  const [, code = 'none'] =
    /^(.+);Sender$/.exec(response.headers.get('x-amzn-query-error') ?? '') ?? [];
  const { __type: type = '', message = '', ...rest } = JSON.parse(text);
  if (Object.keys(rest).length > 0)
    throw new Error(`An error says more than it is to say: ${text}`);
  return { status, type, code, message };
}
