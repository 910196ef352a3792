import type { SessionCommand } from '../command.ts';
import type { Trial } from '../context.ts';
import { addTurnCall, addTurnsCall } from './add-calls.ts';
import { mergeCall, selectCall, siblingsCall } from './branch-calls.ts';
import { type Aim, aimOf, type Call } from './call.ts';
import {
  checkpointCall,
  deleteCheckpointCall,
  getCheckpointCall,
  restoreCall,
} from './checkpoint-calls.ts';
import { invalidCall } from './invalid-calls.ts';
import {
  closeCall,
  deleteCall,
  resumeCall,
  setMetadataCall,
  setVariablesCall,
  suspendCall,
} from './life-calls.ts';
import {
  editCall,
  forkCall,
  redoCall,
  regenerateCall,
  rewindCall,
  undoCall,
} from './move-calls.ts';
import { getStateCall, listBranchesCall, listCheckpointsCall, turnsCall } from './read-calls.ts';

/** What a command on a session means now; null if it makes no sense on any. */
export function sessionCall(trial: Trial, command: SessionCommand): Call | null {
  const aim = aimOf(trial, command);
  return aim === null ? null : { ...callOn(trial, aim, command), session: aim.session };
}

function callOn(trial: Trial, aim: Aim, command: SessionCommand): Call {
  switch (command.do) {
    case 'addTurn':
      return addTurnCall(trial, aim, command);
    case 'addTurns':
      return addTurnsCall(trial, aim, command);
    case 'setVariables':
      return setVariablesCall(trial, aim, command);
    case 'setMetadata':
      return setMetadataCall(trial, aim, command);
    case 'suspend':
      return suspendCall(trial, aim);
    case 'resume':
      return resumeCall(trial, aim);
    case 'close':
      return closeCall(trial, aim, command);
    case 'delete':
      return deleteCall(trial, aim, command);
    case 'checkpoint':
      return checkpointCall(trial, aim, command);
    case 'getCheckpoint':
      return getCheckpointCall(trial, aim, command);
    case 'restore':
      return restoreCall(trial, aim, command);
    case 'deleteCheckpoint':
      return deleteCheckpointCall(trial, aim, command);
    case 'rewind':
      return rewindCall(trial, aim, command);
    case 'edit':
      return editCall(trial, aim, command);
    case 'regenerate':
      return regenerateCall(trial, aim, command);
    case 'undo':
      return undoCall(trial, aim);
    case 'redo':
      return redoCall(trial, aim);
    case 'fork':
      return forkCall(trial, aim, command);
    case 'merge':
      return mergeCall(trial, aim, command);
    case 'select':
      return selectCall(trial, aim, command);
    case 'siblings':
      return siblingsCall(trial, aim, command);
    case 'getState':
      return getStateCall(trial, aim, command);
    case 'turns':
      return turnsCall(trial, aim, command);
    case 'listCheckpoints':
      return listCheckpointsCall(trial, aim, command);
    case 'listBranches':
      return listBranchesCall(trial, aim, command);
    case 'invalid':
      return invalidCall(trial, aim, command);
  }
}
