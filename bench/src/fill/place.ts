import { basename } from 'node:path';
import type { SessionConfigInput } from '@lexigram/ai-session';

/** What the name of a file, schema or prefix begins with that a fill may write to. */
const name = 'fill';

/** A store that a fill may write to, as the configuration of who opens it. */
export interface FillPlace {
  readonly url: string;
  readonly config: SessionConfigInput;
}

/**
 * The place that a URL names: `sqlite:fill.db`, `postgres://host/database?schema=fill_1` or
 * `redis://host?prefix=fill:`. A schema or prefix that is not named is `fill`. Nothing else is ever written to.
 *
 * @throws RangeError if the name of the file, schema or prefix does not begin with `fill`
 */
export function placeOf(given: string): FillPlace {
  if (given.startsWith('sqlite:')) {
    const path = given.slice('sqlite:'.length);
    check(basename(path), 'the file', given);
    return { url: given, config: { backend: 'database', database: { url: given } } };
  }
  if (!URL.canParse(given)) throw new RangeError('--store: expected a URL');
  const url = new URL(given);
  if (/^postgres(ql)?:$/.test(url.protocol)) {
    check(setDefault(url, 'schema', name), 'the schema', given);
    return { url: url.href, config: { backend: 'database', database: { url: url.href } } };
  }
  if (/^rediss?:$/.test(url.protocol)) {
    check(setDefault(url, 'prefix', `${name}:`), 'the prefix', given);
    return { url: url.href, config: { backend: 'cache', cache: { url: url.href } } };
  }
  throw new RangeError(`--store: expected sqlite:, postgres: or redis:, got '${url.protocol}'`);
}

function setDefault({ searchParams }: URL, field: string, value: string): string {
  if (!searchParams.has(field)) searchParams.set(field, value);
  return searchParams.get(field) as string;
}

function check(given: string, what: string, url: string): void {
  if (given.startsWith(name)) return;
  throw new RangeError(
    `--store: the name of ${what} must begin with '${name}', so that nothing else is ever written to; got '${given}' in ${new URL(url).protocol}`,
  );
}
