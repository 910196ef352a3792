import { SessionInputError } from '@lexigram/ai-session';
import type { PostgresOptions } from './options.ts';

/** Whether it is a URL of Postgres, in what it tells us too. */
export function isPostgresUrl(url: string): boolean {
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) return false;
  const { searchParams } = new URL(url);
  return searchParams.getAll('pooler').every((pooler) => pooler === 'transaction');
}

/**
 * A URL as `pg` takes it, and the options with what it has for us: `?schema=name` and `?pooler=transaction`.
 *
 * @throws SessionInputError if it is no such URL, without it: it may have a password; or if the options contradict it
 */
export function readPostgresUrl(
  given: string,
  options: PostgresOptions,
): { readonly url: string; readonly options: PostgresOptions } {
  if (!isPostgresUrl(given)) {
    const problem = "expected a URL like 'postgres://host/database?schema=name'";
    throw new SessionInputError(
      'source',
      `${problem}; the only pooler it may name is 'transaction'`,
    );
  }
  const url = new URL(given);
  const schema = url.searchParams.get('schema') ?? undefined;
  const behindPooler = url.searchParams.has('pooler') ? true : undefined;
  if (schema !== undefined && (options.schema ?? schema) !== schema) {
    throw new SessionInputError('options.schema', 'the URL names another one');
  }
  if (behindPooler && options.behindPooler === false) {
    throw new SessionInputError('options.behindPooler', 'the URL says that there is a pooler');
  }
  url.searchParams.delete('schema');
  url.searchParams.delete('pooler');
  return {
    url: url.href,
    options: {
      ...options,
      ...(schema !== undefined && { schema }),
      ...(behindPooler && { behindPooler }),
    },
  };
}
