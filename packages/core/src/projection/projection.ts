import type { SessionTurn } from '../session/turn.ts';
import { saidText } from './formats/parts.ts';
import { type ProjectionFormat, type ProjectionFormats, toFormat } from './formats.ts';
import type { Omitted, Plan, ProjectionParts } from './plan.ts';
import { render } from './render.ts';

/** What a model is shown, deeply frozen. */
export interface Projection<F extends ProjectionFormat = 'session'> {
  readonly messages: readonly ProjectionFormats[F][];
  /** The text of the system prompt. In the formats `anthropic` and `ai-sdk` it is not among the messages. */
  readonly system: string | null;
  /** The turns that are in the messages, in their order. */
  readonly turnIds: readonly string[];
  /** The turns that are left out, and why, in order. */
  readonly omitted: readonly Omitted[];
  /** Tokens of the messages and the system prompt, never more than `maxTokens` less `reserve`. */
  readonly tokens: number;
  /** Where they went. */
  readonly parts: ProjectionParts;
}

/** The projection of a plan. */
export function toProjection<F extends ProjectionFormat>(
  plan: Plan,
  turnAt: (seq: number) => SessionTurn | undefined,
  format: ProjectionFormat,
): Projection<F> {
  const own = render(plan.shown, turnAt);
  const prompt = own[0]?.role === 'system' ? own[0] : undefined;
  return Object.freeze({
    messages: toFormat(own, format) as readonly ProjectionFormats[F][],
    system: prompt === undefined ? null : saidText(prompt),
    turnIds: Object.freeze(own.flatMap(({ turnIds }) => turnIds)),
    omitted: plan.omitted,
    tokens: plan.tokens,
    parts: Object.freeze(plan.parts),
  });
}
