import { type Viewer, viewOfTurn } from './agent-history.ts';
import type { GroupEvent } from './group-event.ts';
import type { RoleIsolation } from './role-isolation.ts';

/**
 * An event as an agent may see it, or null. Of others it sees neither pieces of an answer, for nobody knows yet who
 * may see the turn that they become, nor what a person is asked, nor what an error says.
 */
export function viewOfEvent(
  event: GroupEvent,
  isolation: RoleIsolation,
  viewer: Viewer,
  agents: readonly Viewer[],
): GroupEvent | null {
  switch (event.type) {
    case 'selected':
    case 'hand_over':
      return event;
    case 'delta':
      return event.agent === viewer.name ? event : null;
    case 'turn': {
      const turn = viewOfTurn(isolation, event.turn, viewer, agents);
      return turn === null ? null : { ...event, turn };
    }
    case 'tool_call':
      // The turn that the call stands in may be hidden, from its own agent too: its `turn` event tells the call.
      return null;
    case 'waiting':
      return event.question.agent === viewer.name ? event : null;
    case 'error':
      return event.agent === viewer.name ? event : { ...event, error: null };
    case 'ended': {
      const { error: _, ...result } = event.result;
      const { question } = result;
      const variables = isolation.filterVariables(result.state.variables, viewer);
      return {
        ...event,
        result: Object.freeze({
          ...result,
          question: question?.agent === viewer.name ? question : null,
          state: Object.freeze({ ...result.state, variables }),
        }),
      };
    }
  }
}
