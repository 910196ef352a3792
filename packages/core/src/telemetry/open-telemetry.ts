import { checkOptions, parseFlag } from '../session/options.ts';
import { type Capture, type ContentCapture, parseContentCapture } from './messages.ts';
import type { StoreObserver } from './observe-store.ts';
import { traceCalls } from './trace-calls.ts';

/** How spans and metrics are made, through `@opentelemetry/api` if it is installed. */
export interface TelemetryOptions {
  /** False: none are made. */
  readonly enabled?: boolean | undefined;
  /** What turns say is in no span unless this is given. */
  readonly content?: ContentCapture | undefined;
}

/** What was checked of them. */
export type Telemetry = { readonly content: Capture | null } | null;

/** @throws SessionInputError */
export function parseTelemetry(given: unknown, path: string): Telemetry {
  const { content, enabled } = checkOptions(given, ['enabled', 'content'], path);
  const capture = content === undefined ? null : parseContentCapture(content, `${path}.content`);
  return enabled === undefined || parseFlag(enabled, `${path}.enabled`)
    ? { content: capture }
    : null;
}

/** Makes spans and metrics of the calls of a store; null if OpenTelemetry is not installed, or not wanted. */
export async function openTelemetry(telemetry: Telemetry): Promise<StoreObserver | null> {
  if (telemetry === null) return null;
  // Not a literal: bundlers would want it to be there.
  const name: string = '@opentelemetry/api';
  try {
    return traceCalls((await import(name)) as Parameters<typeof traceCalls>[0], telemetry.content);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_MODULE_NOT_FOUND') return null;
    throw error;
  }
}
