import type { ConflictReason, SessionConfig, SessionErrorCode } from '@lexigram/ai-session';

/** What an error must say beside its code. */
interface RefusalDetails {
  readonly reason?: ConflictReason;
  /** Where the session stands. */
  readonly now?: object;
  /** The caps that may be named: those that are reached. */
  readonly limits?: readonly Cap[];
}

/** A cap, by the field of the configuration that sets it. */
export type Cap = keyof SessionConfig & `max${string}`;

/** What the model says of a call that must fail. More than one code where the design leaves the order open. */
export class Refusal extends Error {
  readonly codes: readonly SessionErrorCode[];
  readonly details: RefusalDetails;

  constructor(codes: readonly SessionErrorCode[], details: RefusalDetails = {}) {
    const what = details.reason ?? details.limits?.join(' or ');
    super(what === undefined ? codes.join(' or ') : `${codes.join(' or ')} (${what})`);
    this.codes = codes;
    this.details = details;
  }
}

export const codes = {
  notFound: 'LEX_ERR_SES_007',
  closed: 'LEX_ERR_SES_008',
  expired: 'LEX_ERR_SES_009',
  checkpointNotFound: 'LEX_ERR_SES_010',
  transition: 'LEX_ERR_SES_011',
  capacity: 'LEX_ERR_SES_012',
  conflict: 'LEX_ERR_SES_013',
  input: 'LEX_ERR_SES_014',
} as const;

export function refuse(kind: keyof typeof codes): never {
  throw new Refusal([codes[kind]]);
}

export function conflict(reason: ConflictReason, now?: object): never {
  throw new Refusal([codes.conflict], now === undefined ? { reason } : { reason, now });
}

export function capped(...limits: readonly Cap[]): never {
  throw new Refusal([codes.capacity], { limits });
}
