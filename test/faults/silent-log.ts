/** For what the suite itself runs of the service: its deaths are meant. */
import { createLog } from '@wavemill/core/log'

export const silentLog = createLog('faults', 'silent')
