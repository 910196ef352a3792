import type {
  SessionError,
  SessionErrorCode,
  SessionInputError,
  SessionLimitError,
  SessionStoreUnavailableError,
} from '@lexigram/ai-session';

/** What an error of a session is over HTTP: the one table. */
const statuses: Readonly<Record<SessionErrorCode, number>> = {
  LEX_ERR_SES_006: 500,
  LEX_ERR_SES_007: 404,
  LEX_ERR_SES_008: 410,
  LEX_ERR_SES_009: 410,
  LEX_ERR_SES_010: 404,
  LEX_ERR_SES_011: 409,
  LEX_ERR_SES_012: 429,
  LEX_ERR_SES_013: 409,
  LEX_ERR_SES_014: 400,
  LEX_ERR_SES_015: 400,
  LEX_ERR_SES_016: 503,
  LEX_ERR_SES_017: 500,
  LEX_ERR_SES_018: 500,
  LEX_ERR_SES_019: 409,
  LEX_ERR_SES_020: 501,
};

/** The HTTP status of an error: 403 for a foreign origin, 413 for a limit of bytes, 507 for a full store, else by its code. */
export function statusOf(error: SessionError): number {
  if (error.code === 'LEX_ERR_SES_014') {
    return (error as SessionInputError).path === 'origin' ? 403 : 400;
  }
  if (error.code === 'LEX_ERR_SES_015') {
    return (error as SessionLimitError).limit.endsWith('Bytes') ? 413 : 400;
  }
  if (error.code === 'LEX_ERR_SES_016') {
    return (error as SessionStoreUnavailableError).reason === 'full' ? 507 : 503;
  }
  return statuses[error.code];
}

/** An answer that ends a request before its handler ran, or in place of what the handler threw. */
export interface Rejection {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON: `{ "error": { "code", "message" } }`. */
  readonly body: string;
}

/** A rejection with a code of HTTP's own, such as `unauthorized`. */
export function reject(status: number, code: string, message: string): Rejection {
  return {
    status,
    headers: {
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      ...(status === 429 || status === 503 ? { 'Retry-After': '1' } : {}),
    },
    body: JSON.stringify({ error: { code, message } }),
  };
}

/** An error of a session as an answer. What went wrong inside (5xx) is not told. */
export function toRejection(error: SessionError): Rejection {
  const status = statusOf(error);
  const inside = status === 500;
  return reject(status, error.code, inside ? 'Internal error' : error.message);
}

/** The same as a Web Response. */
export function toResponse({ body, headers, status }: Rejection): Response {
  return new Response(body, { status, headers });
}
