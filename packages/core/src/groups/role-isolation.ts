import { SessionInputError } from '../errors.ts';
import { checkName, checkPrintable, kindOf } from '../session/ids.ts';
import { isVisible } from '../session/is-visible.ts';
import { isPlainObject, type JsonObject } from '../session/json.ts';
import { checkOptions } from '../session/options.ts';
import type { SessionTurn } from '../session/turn.ts';
import { AgentHistory, type Viewer } from './agent-history.ts';
import { entriesOf } from './turn-manager.ts';

/** Whether an agent may see a turn; it must answer true or false at once. */
export type VisibilityRule = (turn: SessionTurn, viewer: Viewer) => boolean;

/** Whose turns a role sees, by the speakers' roles: only those of `sees`, none of `hides`. An agent always sees its own. */
export interface RoleSight {
  readonly sees?: readonly string[] | undefined;
  readonly hides?: readonly string[] | undefined;
}

/** How much agents see of each other. */
export interface RoleIsolationOptions {
  /** By the role of who looks; roles that are not named see every role. */
  readonly roles?: Readonly<Record<string, RoleSight>> | undefined;
  readonly rule?: VisibilityRule | undefined;
  /** `own`, the default: of others neither calls of tools, nor results, nor reasoning are shown. */
  readonly toolCalls?: 'own' | 'all' | undefined;
  /** Variables that only the named agents and roles see and set; others are everybody's. */
  readonly variables?: Readonly<Record<string, readonly string[]>> | undefined;
}

/**
 * Who sees what. A turn is shown to an agent if all say so: the turn itself (`visibleTo`; without it `hiddenFrom`),
 * the roles, the rule. What is shown is valid for a provider: no tool result without its call, no call without its result.
 */
export class RoleIsolation {
  readonly #roles: ReadonlyMap<
    string,
    { sees: readonly string[] | null; hides: readonly string[] }
  >;
  readonly #rule: VisibilityRule | null;
  readonly #variables: ReadonlyMap<string, readonly string[]>;
  /** Whether tool calls and reasoning of others are shown. */
  readonly showsToolCalls: boolean;

  /** @throws SessionInputError */
  constructor(options?: RoleIsolationOptions) {
    const given = checkOptions(options, ['roles', 'rule', 'toolCalls', 'variables']);
    const { roles, rule, toolCalls, variables } = given;
    this.#roles = new Map(
      (roles === undefined ? [] : entriesOf(roles, 'options.roles')).map(([role, sight]) => {
        const path = `options.roles.${role}`;
        const { hides, sees } = checkOptions(sight, ['sees', 'hides'], path);
        return [
          checkName(role, path),
          {
            sees: sees === undefined ? null : names(sees, `${path}.sees`),
            hides: hides === undefined ? [] : names(hides, `${path}.hides`),
          },
        ];
      }),
    );
    if (rule !== undefined && typeof rule !== 'function') {
      throw new SessionInputError('options.rule', `expected a function, got ${kindOf(rule)}`);
    }
    this.#rule = (rule as VisibilityRule | undefined) ?? null;
    if (toolCalls !== undefined && toolCalls !== 'own' && toolCalls !== 'all') {
      throw new SessionInputError(
        'options.toolCalls',
        `expected 'own' or 'all', got ${kindOf(toolCalls)}`,
      );
    }
    this.showsToolCalls = toolCalls === 'all';
    this.#variables = new Map(
      (variables === undefined ? [] : entriesOf(variables, 'options.variables')).map(
        ([key, who]) => [
          checkPrintable(key, 'options.variables (a key)'),
          names(who, `options.variables.${key}`),
        ],
      ),
    );
  }

  /**
   * Whether an agent may see a turn at all.
   *
   * @throws SessionInputError if the rule answers neither true nor false
   */
  allows(turn: SessionTurn, viewer: Viewer, agents: readonly Viewer[]): boolean {
    if (!isVisible(turn, viewer.name)) return false;
    if (!this.#rolesAllow(turn, viewer, agents)) return false;
    if (this.#rule === null) return true;
    const says: unknown = this.#rule(turn, viewer);
    if (typeof says === 'boolean') return says;
    throw new SessionInputError(
      'roleIsolation.rule',
      `must answer true or false, got ${kindOf(says)}`,
    );
  }

  #rolesAllow(turn: SessionTurn, viewer: Viewer, agents: readonly Viewer[]): boolean {
    const sight = viewer.role === null ? undefined : this.#roles.get(viewer.role);
    if (sight === undefined || turn.agent === undefined || turn.agent === viewer.name) return true;
    const role = agents.find(({ name }) => name === turn.agent)?.role ?? null;
    if (sight.sees !== null && (role === null || !sight.sees.includes(role))) return false;
    return role === null || !sight.hides.includes(role);
  }

  /**
   * The turns that an agent sees, in order and valid for a provider: results stand behind their calls, and calls
   * without a result are left out of their turn.
   *
   * @param agents all of the group, for their roles
   */
  filterVisible(
    turns: readonly SessionTurn[],
    viewer: Viewer,
    agents: readonly Viewer[] = [viewer],
  ): readonly SessionTurn[] {
    const history = new AgentHistory(this, viewer, agents);
    for (const turn of turns) history.add(turn);
    return history.shown();
  }

  /** The variables that an agent sees. */
  filterVariables(variables: JsonObject, viewer: Viewer): JsonObject {
    if (this.#variables.size === 0) return variables;
    const seen = Object.entries(variables).filter(([key]) => this.allowsVariable(key, viewer));
    return Object.freeze(Object.fromEntries(seen));
  }

  allowsVariable(key: string, { name, role }: Viewer): boolean {
    const who = this.#variables.get(key);
    return who === undefined || who.includes(name) || (role !== null && who.includes(role));
  }
}

function names(value: unknown, path: string): readonly string[] {
  if (!Array.isArray(value)) {
    throw new SessionInputError(path, `expected an array, got ${kindOf(value)}`);
  }
  return value.map((name, i) => checkName(name, `${path}[${i}]`));
}

/** What a caller gave as `roleIsolation`. @throws SessionInputError */
export function toRoleIsolation(given: unknown): RoleIsolation {
  if (given === undefined) return new RoleIsolation();
  if (given instanceof RoleIsolation) return given;
  if (isPlainObject(given)) return new RoleIsolation(given as RoleIsolationOptions);
  throw new SessionInputError(
    'options.roleIsolation',
    `expected a RoleIsolation, got ${kindOf(given)}`,
  );
}
