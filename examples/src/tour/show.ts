import type { SessionReport, Sessions } from '@lexigram/ai-session';
import { drawTree } from './draw-tree.ts';
import { readFamily } from './family.ts';
import { saidIn } from './said.ts';
import { entry, heading, paragraph, type Screen } from './screen.ts';
import { count, cut, oneLine, pad, usd, whole } from './text.ts';

const lastTurns = 6;

/**
 * Prints what a session holds: what it adds up to, its branches, its last turns.
 *
 * @throws SessionNotFoundError
 */
export async function show(sessions: Sessions, sessionId: string, screen: Screen): Promise<void> {
  const state = await sessions.manager.getState(sessionId, { turns: lastTurns });
  const report = await sessions.analytics.session(sessionId);
  const title = state.metadata['title'];
  screen.print(...heading(typeof title === 'string' ? oneLine(title) : sessionId, screen));
  const { license, source } = state.metadata;
  if (typeof source === 'string' && typeof license === 'string') {
    screen.print(...entry('from', `${oneLine(source)}, ${oneLine(license)}`, screen));
  }
  const closed = state.closedReason === null ? '' : ` (${oneLine(state.closedReason)})`;
  screen.print(...entry('status', `${state.status}${closed}`, screen));
  screen.print(...entry('turns', sums(report), screen));
  if (report.modelsUsed.length > 0)
    screen.print(...entry('models', list(report.modelsUsed), screen));
  if (report.agentsUsed.length > 0)
    screen.print(...entry('agents', list(report.agentsUsed), screen));
  if (report.toolCalls > 0) {
    const calls = `${list(report.toolsInvoked)}: ${count(report.toolCalls, 'call')}`;
    screen.print(...entry('tools', calls, screen));
  }

  const family = await readFamily(sessions, sessionId);
  if (family.branches.length > 0) {
    screen.print(...heading('Its branches', screen), ...drawTree(family, screen));
  }
  screen.print(...heading(`The last of ${count(state.turnCount, 'turn')}`, screen));
  if (state.turns.length === 0) screen.print(...paragraph('Nothing was said yet.', screen));
  for (const turn of state.turns) {
    const speaker = pad(oneLine(turn.agent ?? turn.name ?? turn.role), 12);
    const said = cut(saidIn(turn), screen.width - 21);
    screen.print(`${whole(turn.seq).padStart(5)}  ${screen.paint('cyan', speaker)}  ${said}`);
  }
}

function sums({ durationSeconds, totalCost, totalTokens, totalTurns }: SessionReport): string {
  const minutes = Math.round(durationSeconds / 60);
  const time = minutes < 90 ? count(minutes, 'minute') : `${(minutes / 60).toFixed(1)} hours`;
  const known = [
    whole(totalTurns) + (minutes === 0 ? '' : ` over ${time}`),
    ...(totalTokens === 0 ? [] : [`${whole(totalTokens)} tokens`]),
    ...(totalCost === 0 ? [] : [usd(totalCost)]),
  ];
  return known.join(', ');
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 8).map(oneLine).join(', ');
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown;
}
