import { type SessionConfig, SessionConfigError } from '@lexigram/ai-session';

/** Who asks: the owner of what the request may see. */
export interface Authenticated {
  readonly tenantId?: string | null | undefined;
  readonly userId: string;
}

/** Where a session's id may come from, by priority. */
export type SessionSource = 'header' | 'query' | 'cookie';

/** How requests get their sessions. */
export interface SessionMiddlewareOptions<Request = unknown> {
  /**
   * Keys that sign the cookie, each of 32 bytes or more: the first one signs, all are accepted, so that keys can be
   * rotated. Needed unless cookies are off.
   */
  readonly secrets?: readonly (string | Uint8Array)[] | undefined;
  /**
   * Who asks, by whatever the application uses to tell. Null is a visitor without a name, whose sessions belong to
   * the signed cookie. Without this option all are visitors.
   */
  readonly authenticate?:
    | ((request: Request) => Authenticated | null | Promise<Authenticated | null>)
    | undefined;
  /** False answers 401 to whoever `authenticate` does not know; true. */
  readonly anonymous?: boolean | undefined;
  /** The sources that count; all of `header`, `query`, `cookie`. */
  readonly sources?: readonly SessionSource[] | undefined;
  /** The parameter of the query; `session_id`. */
  readonly queryName?: string | undefined;
  /** In place of the configuration's; null switches cookies off. */
  readonly cookieName?: string | null | undefined;
  /** In place of the configuration's. */
  readonly headerName?: string | undefined;
  /** How long a browser keeps the cookie, in seconds; left out, until it is closed. */
  readonly cookieMaxAge?: number | undefined;
  /** Lets GET and HEAD make sessions, too; false. */
  readonly createOnGet?: boolean | undefined;
  /** Believes `X-Forwarded-Proto` of the proxy in front; false. */
  readonly trustProxy?: boolean | undefined;
  /** Other origins, like `https://app.example`, whose pages may write with the cookie. */
  readonly allowedOrigins?: readonly string[] | undefined;
}

/** The options, checked. */
export interface Settings<Request> {
  readonly secrets: readonly Uint8Array[];
  readonly authenticate: SessionMiddlewareOptions<Request>['authenticate'];
  readonly anonymous: boolean;
  readonly headerName: string | null;
  readonly queryName: string | null;
  readonly cookieName: string | null;
  readonly cookieMaxAge: number | null;
  readonly createOnGet: boolean;
  readonly trustProxy: boolean;
  readonly allowedOrigins: ReadonlySet<string>;
}

const known: ReadonlySet<string> = new Set([
  'secrets',
  'authenticate',
  'anonymous',
  'sources',
  'queryName',
  'cookieName',
  'headerName',
  'cookieMaxAge',
  'createOnGet',
  'trustProxy',
  'allowedOrigins',
]);
const allSources: readonly SessionSource[] = ['header', 'query', 'cookie'];
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
const parameter = /^[A-Za-z0-9_.-]{1,128}$/;
const secretBytes = 32;

/** @throws SessionConfigError with every problem */
export function parseSettings<Request>(
  options: SessionMiddlewareOptions<Request>,
  config: SessionConfig,
): Settings<Request> {
  const issues: { path: string; message: string }[] = [];
  const wrong = (path: string, message: string): void => {
    issues.push({ path, message });
  };
  for (const key of Object.keys(options)) {
    if (!known.has(key)) wrong(key, `is no option; known are ${[...known].join(', ')}`);
  }
  const flag = (key: 'anonymous' | 'createOnGet' | 'trustProxy', preset: boolean): boolean => {
    const value: unknown = options[key] ?? preset;
    if (typeof value !== 'boolean') wrong(key, 'expected true or false');
    return value === true;
  };
  const sources: unknown = options.sources ?? allSources;
  if (!Array.isArray(sources) || sources.some((one) => !allSources.includes(one))) {
    wrong('sources', `expected a list of ${allSources.join(', ')}`);
  }
  const from = (source: SessionSource): boolean =>
    Array.isArray(sources) && sources.includes(source);

  const headerName = options.headerName ?? config.headerName;
  if (!token.test(headerName)) wrong('headerName', 'expected the name of a header');
  const queryName = options.queryName ?? 'session_id';
  if (!parameter.test(queryName)) wrong('queryName', 'expected letters, digits, ".", "_" and "-"');
  const cookieName = options.cookieName === undefined ? config.cookieName : options.cookieName;
  if (cookieName !== null && (!token.test(cookieName) || cookieName.startsWith('__'))) {
    wrong('cookieName', "expected the name of a cookie without a prefix like '__Host-'");
  }
  const withCookie = cookieName !== null && from('cookie');
  const { allowedOrigins = [], authenticate, cookieMaxAge = null } = options;
  if (authenticate !== undefined && typeof authenticate !== 'function') {
    wrong('authenticate', 'expected a function');
  }
  if (cookieMaxAge !== null && !(Number.isSafeInteger(cookieMaxAge) && cookieMaxAge > 0)) {
    wrong('cookieMaxAge', 'expected a whole number of seconds');
  }
  for (const origin of allowedOrigins) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      wrong('allowedOrigins', "expected origins like 'https://app.example'");
    }
  }
  const settings = {
    secrets: withCookie ? parseSecrets(options.secrets, wrong) : [],
    authenticate,
    anonymous: flag('anonymous', true),
    headerName: from('header') ? headerName : null,
    queryName: from('query') ? queryName : null,
    cookieName: withCookie ? cookieName : null,
    cookieMaxAge,
    createOnGet: flag('createOnGet', false),
    trustProxy: flag('trustProxy', false),
    allowedOrigins: new Set(allowedOrigins),
  };
  if (issues.length > 0) throw new SessionConfigError(issues);
  return Object.freeze(settings);
}

function parseSecrets(
  given: unknown,
  wrong: (path: string, message: string) => void,
): readonly Uint8Array[] {
  if (!Array.isArray(given) || given.length === 0) {
    wrong(
      'secrets',
      'is missing: the cookie has to be signed; give a list of keys, or cookieName: null',
    );
    return [];
  }
  return given.map((secret: unknown, i) => {
    const bytes =
      typeof secret === 'string'
        ? new TextEncoder().encode(secret)
        : secret instanceof Uint8Array
          ? Uint8Array.from(secret)
          : new Uint8Array();
    // The key itself is never shown.
    if (bytes.length < secretBytes) {
      wrong(`secrets[${i}]`, `has ${bytes.length} bytes, a key needs ${secretBytes} or more`);
    }
    return bytes;
  });
}
