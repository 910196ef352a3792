import { isSessionError } from '@lexigram/ai-session';
import type { AiSession } from './ai-session.ts';
import type { Exchange } from './exchange.ts';
import { type Rejection, toRejection, toResponse } from './status.ts';

/** A handler of Web requests that gets the request's session; what its framework gives beside follows. */
export type FetchHandler<Rest extends readonly unknown[]> = (
  request: Request,
  aiSession: AiSession,
  ...rest: Rest
) => Response | Promise<Response>;

/** What begins a request and runs its handler. */
interface Beginner {
  begin(exchange: Exchange<Request>): Promise<AiSession | Rejection>;
  run<R>(aiSession: AiSession, handler: () => R): R;
}

/** One request through a Web handler. An error of a session becomes its answer; others are thrown on. */
export async function handleFetch<Rest extends readonly unknown[]>(
  middleware: Beginner,
  handler: FetchHandler<Rest>,
  request: Request,
  rest: Rest,
): Promise<Response> {
  const headers = new Map<string, string>();
  const cookies: string[] = [];
  let answered = false;
  const exchange: Exchange<Request> = {
    method: request.method,
    url: request.url,
    header: (name) => headerOfWeb(request, name),
    encrypted: request.url.startsWith('https:'),
    request,
    canSetHeaders: () => !answered,
    setHeader: (name, value) => headers.set(name, value),
    addCookie: (value) => cookies.splice(0, cookies.length, value),
  };
  const begun = await middleware.begin(exchange);
  if ('status' in begun) return toResponse(begun);
  let response: Response;
  try {
    response = await middleware.run(begun, () => handler(request, begun, ...rest));
  } catch (error) {
    if (!isSessionError(error)) throw error;
    response = toResponse(toRejection(error));
  }
  answered = true;
  if (headers.size === 0 && cookies.length === 0) return response;
  // The headers of a redirect, or of a fetched answer, cannot be changed.
  const withHeaders = new Response(response.body, response);
  for (const [name, value] of headers) withHeaders.headers.set(name, value);
  for (const value of cookies) withHeaders.headers.append('Set-Cookie', value);
  return withHeaders;
}

/** A header's value as it came; a request that no server made says its host in its URL alone. */
export function headerOfWeb(request: Request, name: string): string | null {
  const value = request.headers.get(name);
  return value === null && name === 'host' ? new URL(request.url).host : value;
}
