import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Exchange } from './exchange.ts';

type GivenHeaders = OutgoingHttpHeaders | readonly unknown[];

/**
 * Headers that an answer of `node:http` has in the end, whatever its handler sets beside them: they are written with
 * its head. Cookies of others stay; a `Cache-Control` that would let the cookie be kept for others does not.
 */
export function headersOf(response: ServerResponse): Pick<Exchange, 'setHeader' | 'addCookie'> {
  const headers = new Map<string, string>();
  let cookie: string | null = null;
  let waits = false;
  const write = (): void => {
    for (const [name, value] of headers) response.setHeader(name, value);
    if (cookie === null) return;
    const others = [response.getHeader('Set-Cookie') ?? []].flat().map(String);
    response.setHeader('Set-Cookie', [...others, cookie]);
  };
  const wait = (): void => {
    if (waits) return;
    waits = true;
    const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
    response.writeHead = ((status: number, ...rest: unknown[]): ServerResponse => {
      if (!waits || response.headersSent) return writeHead(status, ...rest);
      waits = false;
      const given = rest.find((one) => typeof one === 'object' && one !== null);
      if (given !== undefined) setGiven(response, given as GivenHeaders);
      write();
      return typeof rest[0] === 'string' ? writeHead(status, rest[0]) : writeHead(status);
    }) as ServerResponse['writeHead'];
  };
  return {
    setHeader(name, value) {
      headers.set(name, value);
      wait();
    },
    addCookie(value) {
      cookie = value;
      wait();
    },
  };
}

/** Headers given to `writeHead`, set one by one: they replace those of the same name that were set before. */
function setGiven(response: ServerResponse, given: GivenHeaders): void {
  if (!Array.isArray(given)) {
    for (const [name, value] of Object.entries(given as OutgoingHttpHeaders)) {
      if (value !== undefined) response.setHeader(name, value);
    }
    return;
  }
  const flat: unknown[] = given.flat();
  const names = flat.filter((_, i) => i % 2 === 0).map(String);
  for (const name of names) response.removeHeader(name);
  for (const [i, name] of names.entries()) response.appendHeader(name, String(flat[2 * i + 1]));
}
