/** What a door knows of one request and its answer: the frameworks differ in nothing else. */
export interface Exchange<Request = unknown> {
  readonly method: string;
  /** The request's target: path and query, or a whole URL. */
  readonly url: string;
  /** A header's value as it came; several are joined by a comma, null is none. */
  header(name: string): string | null;
  /** Whether the connection itself is encrypted. */
  readonly encrypted: boolean;
  /** The request as the framework knows it, for `authenticate`. */
  readonly request: Request;
  /** False once the answer's head has been sent. */
  canSetHeaders(): boolean;
  setHeader(name: string, value: string): void;
  /** Adds a `Set-Cookie`, in place of an earlier one for the same cookie. */
  addCookie(value: string): void;
}

/** The parameters of a target, path and fragment left out. */
export function queryOf(url: string): URLSearchParams {
  const target = url.split('#', 1)[0] ?? '';
  const at = target.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : target.slice(at + 1));
}
