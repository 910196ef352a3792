import { Agent, request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly cookies: readonly string[];
  readonly text: string;
  readonly json: Record<string, unknown>;
}

export interface Asked {
  readonly method?: string;
  readonly path: string;
  /** In order; the same name may come twice. */
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 8 });

/** One request as it is written, header by header. */
export function send(
  port: number,
  { body, headers = [], method = 'GET', path }: Asked,
): Promise<Answer> {
  const flat = [['Host', `127.0.0.1:${port}`], ...headers].flat();
  if (body !== undefined) {
    flat.push('Content-Type', 'application/json', 'Content-Length', `${Buffer.byteLength(body)}`);
  }
  if (body === undefined && method !== 'GET' && method !== 'HEAD') flat.push('Content-Length', '0');
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', method, path, headers: flat as never, agent });
    sent.on('error', reject);
    sent.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          cookies: response.headers['set-cookie'] ?? [],
          text,
          json: text.startsWith('{') ? JSON.parse(text) : {},
        });
      });
    });
    sent.end(body);
  });
}

/** What a browser would send back of the cookies that an answer sets. */
export function cookiesOf({ cookies }: Pick<Answer, 'cookies'>): string {
  return cookies.map((cookie) => cookie.split(';', 1)[0]).join('; ');
}
