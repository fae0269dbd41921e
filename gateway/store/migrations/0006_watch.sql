-- What a citizen is asked in person just now is looked for twice a second while the citizen's page
-- is open: only the open requests are in this index, however many there have been.
CREATE INDEX consent_request_waiting ON consent_request (citizen, id DESC)
  WHERE status = 'pending' AND citizen IS NOT NULL;
