import type { SessionErrorCode } from '@lexigram/ai-session';
import type { Fixture } from './fixture.ts';
import type { UntypedServices, UntypedSessions } from './untyped.ts';

/** One call with one bad argument. It must throw this error, and nothing may be written. */
export interface BadInputRow {
  readonly id: string;
  readonly call: (sessions: UntypedSessions, fixture: Fixture) => Promise<unknown>;
  readonly code: SessionErrorCode;
  /** What the message must have: the argument, the value or what would do. */
  readonly mentions?: RegExp | readonly string[];
}

/**
 * The neighbour of bad input that must pass: the limit itself, an odd but legal value. The call writes only in
 * sessions that it makes, for a user of its own, and asserts what comes out.
 */
export interface GoodInputRow {
  readonly id: string;
  readonly call: (sessions: UntypedSessions, userId: string) => Promise<void>;
}

/** The codes that bad input can be answered with. */
export const codes: {
  readonly notFound: 'LEX_ERR_SES_007';
  readonly noCheckpoint: 'LEX_ERR_SES_010';
  readonly conflict: 'LEX_ERR_SES_013';
  readonly input: 'LEX_ERR_SES_014';
  readonly limit: 'LEX_ERR_SES_015';
  readonly config: 'LEX_ERR_SES_018';
  readonly unsupported: 'LEX_ERR_SES_020';
} = {
  notFound: 'LEX_ERR_SES_007',
  noCheckpoint: 'LEX_ERR_SES_010',
  conflict: 'LEX_ERR_SES_013',
  input: 'LEX_ERR_SES_014',
  limit: 'LEX_ERR_SES_015',
  config: 'LEX_ERR_SES_018',
  unsupported: 'LEX_ERR_SES_020',
};

/** One argument of one call: the place where a value is put. */
export interface Place {
  readonly id: string;
  /** How an error names the argument. */
  readonly name: string;
  readonly call: (
    services: UntypedServices,
    fixture: Fixture,
    value: unknown,
    sessionId?: string,
  ) => Promise<unknown>;
}

export function place(id: string, name: string, call: Place['call']): Place {
  return { id, name, call };
}

/** A value, and what it must be answered with. */
export interface BadValue {
  readonly id: string;
  readonly value: unknown;
  readonly code: SessionErrorCode;
  /** What the message must show beside the argument's name. */
  readonly shows?: readonly string[];
}

/** Every value in every place. */
export function rowsOf(
  places: readonly Place[],
  values: readonly BadValue[],
): readonly BadInputRow[] {
  return places.flatMap(({ call, id, name }) =>
    values.map(
      (bad): BadInputRow => ({
        id: `${id}: ${bad.id}`,
        call: (sessions, fixture) => call(sessions, fixture, bad.value),
        code: bad.code,
        mentions: [name, ...(bad.shows ?? [])],
      }),
    ),
  );
}
