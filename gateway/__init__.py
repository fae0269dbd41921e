"""The gateway: the only package with input and output. This is its map, in reading order.

A test keeps it true: every file is named here once, and nothing that is not there.

A question's way, from the socket to the answer
    server.py               the server: its command line, its flags, what a worker runs
    workers.py              processes that serve, replaced when they die
    edge/connection.py      one connection, bounded in time, in size and in number
    edge/sweep.py           what takes too long on any of them, seen by one timer
    edge/exchange.py        one request and its answer, which leaves in one write
    app.py                  the composition root: settings in, one application out
    city.py                 one worker's working parts, put together
    edge/headers.py         requests that two machines could read differently are not read
    edge/access.py          who may call what, closed by default
    edge/caller.py          the party of a token, and of the key that it is bound to
    edge/admission.py       the door in front of it: what kind of request, and its room
    edge/routes.py          the route table of everything that is not hot
    edge/body.py            reading a body and turning it into a typed value
    edge/patience.py        a body that takes too long is cut, at the price of one timer
    edge/form.py            form bodies, each parameter once
    scan.py                 the checks that a typed decoder does not make
    small_file.py           a file that somebody named, read within bounds
    wrong_member.py         what is wrong with somebody's file, in words
    edge/wire.py            words that several wire structs share, with their bounds
    edge/shortcut.py        the way of nearly every question: on callbacks, around the application
    edge/eligibility.py     the hot route
    admission.py            who is let in: so many at a time, the most urgent first
    waiting_line.py         who waits for that, and who is told to come back
    edge/answer.py          its answer, prepared once for each scenario
    edge/authzen.py         the same questions in the words of AuthZEN 1.0: addresses, metadata
    edge/authzen_route.py   what its routes do before they answer
    edge/authzen_wire.py    its entities and defaults
    edge/authzen_asking.py  from an item to a question of the hot route
    edge/evaluation.py      one question or many
    edge/resource_search.py  which scenarios are open
    decision.py             THE PATH: standing, scenario, commit, answer
    proposer.py             a verdict and its record, between a standing and the commit
    batching.py             one call in flight, the next takes what has gathered
    committer.py            the group commit: durable and still true, or no answer
    limits.py               what a party may ask, counted in the same round trip
    gcra.py                 a rate with a burst, as one number
    edge/limits.py          and in an answer's header fields
    evidence.py             the bytes that a receipt is the hash of
    edge/counted.py         answers counted, by the kind of caller
    search.py               which scenarios are open to a citizen, in one record
    search_places.py        what each party may search, made ready
    glimpse.py              what many scenarios see of a body
    search_committer.py     the group commit of searches
    search_evidence.py      the bytes that a search's receipt is the hash of
    edge/problems.py        from errors to problem details, in one table
    edge/service.py         alive, and able to answer
    edge/scenarios.py       the scenarios, open to everybody
    edge/decisions.py       an answer read back, in two views
    lookups.py              reasons in the words of the rule that answered
    edge/contract.py        the contract as a document: /openapi.json
    edge/twins.py           the hot routes as the contract describes them

Writes, and what follows them
    idempotency.py          the same write sent twice happens once
    edge/idempotency.py     the key of a request
    edge/consent_requests.py  parties ask for a consent
    edge/consents.py        citizens read, grant, decline, and keep consents in hand
    edge/my_scenarios.py    citizens see what is open to them, and begin a consent themselves
    consent_requests.py     the request, and the link that shows it
    own_requests.py         one that a citizen begins, and the party does not know of
    openness.py             a scenario open or what is missing, asked of the rule itself
    offers.py               the same at every party that offers it, for one citizen
    edge/credit_codes.py    信用码: a citizen shows a code, a party redeems it
    credit_codes.py         once, for a minute, while the session lasts
    edge/desks.py           citizens at a party's desk or device
    edge/stills.py          a camera's still as a body
    threads.py              threads that give way to the event loop
    still.py                the code in it, read beside the event loop
    desks.py                desks, and the addresses of their printed codes
    desk_requests.py        the request for consent that a citizen begins there
    misses.py               how often one may err who types what could be guessed
    qr.py                   QR codes as pictures
    consent_notice.py       what a citizen reads before consenting
    consent_rules.py        what a consent can become, as pure functions
    consents.py             every act a new version, binding when acknowledged
    outbox.py               what parties are told, written with the change itself
    webhooks.py             and sent, signed, to the address they chose
    edge/webhooks.py        the key that verifies it
    jobs.py                 what happens beside the requests, and every worker's tick
    probing.py              who tries too many different questions is marked

Who asked about me
    edge/lookups.py         the list, page by page
    lookup_filter.py        which lines are wanted
    edge/lookup_lines.py    a line, as every way of reading tells it
    edge/lookup_download.py  every line as a file
    edge/lookup_table.py    a line as a row of it
    spreadsheet.py          rows that open as text in a spreadsheet
    edge/lookup_stream.py   a line told while it happens
    edge/event_stream.py    an answer that goes on: server-sent events
    watch.py                one watcher for all open pages, beside the decisions
    watch_stream.py         what one page is told
    watch_place.py          how far it has come, so that any worker can go on

Who asks, about whom
    credential.py           the one credential that a request brings
    tokens.py               access tokens: minted here, verified once, found again
    token_marks.py          and known for ours before their signature is looked at
    dpop.py                 a request proves the key that its token is bound to
    proof_token.py          by a token that this key signed, and that brings it
    proofs.py               each proof once, decided by PostgreSQL
    jose.py                 the guard in front of every signed token
    forgeries.py            how many bad signatures are looked at
    claims.py               the kinds of token and what each says
    jwk.py                  public keys from outside
    edge/oauth.py           the authorization server, as programs call it
    oauth/token.py          the token endpoint
    oauth/jwt_bearer.py     another city's word as an authorization grant
    oauth/assertions.py     client assertions: private_key_jwt and nothing else
    oauth/clients.py        whose they are: parties by their keys, cities by the region's list
    oauth/throttle.py       a bound on attempts
    oauth/metadata.py       what the server publishes about itself
    oauth/errors.py         the token endpoint's errors
    jwks.py                 key sets fetched from partner cities and issuers
    ssrf.py                 which addresses may be called at all
    parties.py              the parties, each at a revision that the commit checks
    onboarding.py           parties come, stop, return and change their keys
    client_keys.py          a party's own key pair, for those without a tool
    policies.py             the compiled scenarios this worker may answer with
    publication.py          putting compiled scenarios into the live set
    pseudonyms.py           one citizen, a different name at every legal entity
    identity_number.py      the citizen identity number, and who is synthetic
    vault.py                personal data sealed under a key of the person's own
    standing.py             reading and changing what every decision stands on
    body.py                 the standing's body: all that decisions read of a citizen

Citizens: signing in, and what they see and say
    oidc.py                 the login at the identity provider: PKCE, nonce, issuer, one browser
    sessions.py             a signed-in browser, and which writes are really its own
    citizens.py             who may have a record, made at the first login
    notice.py               what is read before the score is computed or shown
    authorisations.py       the citizen's word on the score, and the score it opens
    devices.py              keys that a citizen signs with, and their loss
    commitments.py          a text shown, signed by the own device, kept as it is
    commitment_texts.py     the words of promises, today's and former ones
    commitment_receipt.py   a file that proves a promise by itself
    texts/check_receipt.py  the program in it that does
    benefits.py             what keeping their word gave a citizen, in fen
    edge/login.py           to the identity provider, back, and away
    edge/cookies.py         cookies, all set alike
    edge/citizen.py         who am I, the notice, the word on the score
    edge/devices.py         devices: registered, listed, named, revoked
    edge/commitments.py     commitments: shown, signed, taken back; my scenarios
    edge/commitment_receipt.py  a commitment's receipt to keep
    edge/benefits.py        deposits waived so far
    export.py               a copy of everything about a citizen, a page at a time
    export_sections.py      its lists, and how a row of each is told
    export_document.py      the document that they make
    export_records.py       answers' records, to make their receipts again
    export_parts.py         its parts: what the citizen said and did
    export_answers.py       what was asked and answered
    export_city.py          what the city knows besides
    edge/export.py          the same as a file
    corrections.py          what a citizen says is wrong, sealed, and by when it is decided
    correction_desk.py      the office's half of it
    edge/corrections.py     corrections asked for, and what became of them
    closing.py              an account ends: all of it at once, and nobody is left to find
    edge/closure.py         what that means, what stands in its way, and the act
    edge/sessions.py        where I am signed in; signing out everywhere

Other cities: trust, what is said of citizens, and who is here as a visitor
    recognition/entry.py    a city's entry in the region's trust list
    recognition/partners.py  the cities that may ask about our citizens now, each with its terms
    edge/authorize.py       another city's request, by its backend and by the citizen's browser
    oauth/desk.py           who asks, whether it may, what it was refused
    oauth/pushed.py         a request is pushed, and everything in it fixed
    recognition/authorization.py  opened once, and the citizen signs in afresh for it
    recognition/lacking.py  what is missing for one, for the citizen's own eyes
    recognition/requests.py  read, allowed or declined by its citizen
    edge/recognition_requests.py  the routes of that
    edge/recognitions.py    which cities recognise me
    oauth/code.py           the code is redeemed, once
    oauth/exchange.py       and what it bought exchanged for a grant
    recognition/openings.py  for which scenarios there can be one
    recognition/grants.py   decided, recorded, and only then signed
    recognition/held.py     what was said of a citizen, for the citizen
    recognition/schemes.py  which tier of one city is which band in another
    edge/recognition_schemes.py  the same, open to everybody
    recognition/limits.py   what may be vouched for, and what is kept free at home for it
    recognition/freshness.py  whether a visitor's home city was heard of lately
    recognition/entries.py  entries beside each other: what is shared condemns
    recognition/endings.py  what was said of a citizen ends with what it rests on
    recognition/status_lists.py  and here every city reads that it has
    recognition/status_bits.py  as one bit of a million
    edge/status_lists.py    the route of that
    recognition/status_fetch.py  another city's list, fetched and verified
    recognition/status_reader.py  what other cities' lists say of their citizens here
    recognition/region.py   who signs that list: pinned in a file
    recognition/trust_list.py  the list read, a bad entry left out
    recognition/statements.py  what operators signed about agreements
    recognition/agreements.py  and what follows from it at an instant
    recognition/trust.py    all that as a worker holds it in memory
    recognition/trust_fetch.py  the list fetched, and kept where it is good
    recognition/neighbours.py  what visits ask of all that, and of the status lists
    recognition/attempts.py  a visit on its way to the home city and back, in one browser
    recognition/home_city.py  this city as a client there: request, code, grant
    recognition/judgement.py  whether a grant fits attempt, agreement and scheme
    recognition/presentation.py  and who shows it, by which key
    recognition/acceptance.py  and is accepted, once
    recognition/veil.py     what both cities know of it, kept under names of our own
    recognition/permutation.py  and a million places at once
    recognition/forgetting.py  when visitors came, and who stays away, forgotten
    recognition/visit_sessions.py  from the visitor's key to a session
    recognition/visits.py   a visitor's own visit
    recognition/refusals.py  who was refused, as numbers
    recognition/visiting.py  the visited city's parts, put together
    edge/visits.py          to the home city, back, and in
    edge/my_visit.py        what is open to a visitor, and the end of it
    recognition/own_entry.py  our own entry in it
    recognition/signing.py  what our operators sign
    recognition/admitting.py  a listed city becomes a party here
    recognition/expelled.py  whose word on their citizens stops counting
    edge/recognition_agreements.py  this city's agreements, open to everybody

The counter: parties' staff, with accounts of their own
    counter/staff.py        accounts: the operator's acts
    counter/enrolment.py    a link is opened, password and second factor are set up
    counter/sign_in.py      a password, a code, a session
    counter/attempts.py     how often these may be tried, strangers apart from others
    counter/passwords.py    Argon2id, beside the event loop and bounded
    counter/totp.py         six digits, good once
    counter/security_keys.py  a key instead of digits, where the address has a name
    counter/tickets.py      what a browser carries between two steps, sealed
    counter/trials.py       how many different facts may be tried about one citizen
    counter/sessions.py     a signed-in member of staff
    edge/counter.py         the routes of all that
    edge/counter_keys.py    and those of security keys
    counter/questions.py    asking about the citizen in front of the counter
    edge/counter_questions.py  what may be asked, and asking
    edge/counter_today.py   and what was asked today

Citizens without a phone, served at a party's counter
    assisted/service.py     assisted service, put together
    assisted/attendant.py   who serves, and the document that was checked
    assisted/texts.py       what is read aloud: the very texts of the app
    assisted/recording.py   what was said to each, in one change of the standing
    assisted/scribe.py      each yes, written
    assisted/withdrawal.py  taken back at the same counter
    assisted/finding.py     a returning person, where a consent stands and only there
    assisted/acts.py        each act of staff, on record with the change itself
    assisted/receipt.py     the printed receipt, whose hash the act keeps
    edge/assisted.py        the routes of all that

What people look at
    web/pages.py            the route table of pages
    web/render.py           a template, a language, and header fields that keep it closed
    web/faults.py           what goes wrong, as a page
    web/catalogue.py        the words of pages, in both languages
    web/spoken.py           money, moments and days as people read them
    web/assets.py           styles and modules, from memory
    web/sign_in.py          where strangers are led to
    web/notice.py           what is read before the score, and the word on it
    web/counter.py          the counter's doors
    web/counter_desk.py     and the counter itself: the question, the list, the desk
    web/assisted.py         assisted service at the counter, step by step
    web/home.py             the first page
    web/score.py            the score, its dimensions and factors
    web/scenarios.py        what is open, what is missing, who offers it
    web/amounts.py          facts and figures of scenarios as people read them
    web/consent.py          a request, read before it is decided
    web/consents.py         consents kept in hand
    web/code.py             信用码 on the screen
    web/desk.py             a shop's or device's code, and who stands behind it
    web/data.py             who I am here, a copy, corrections, signing out
    web/correction.py       what is wrong, and in which words
    web/closure.py          the way out, and a plain goodbye
    web/commitments.py      promises: the text to sign, mine, the receipt
    web/devices.py          devices that sign, and the lost one
    web/lookups.py          who asked about me, live, and one answer with every reason
    web/recognition.py      another city's request, and the cities that recognise me
    web/visit.py            another city's citizen sets out, and arrives
    web/visitor.py          the first page of a visitor

Facts and scores, the city's own doing
    fact_file.py            reading a file of facts, a row a line
    fact_import.py          checked rows to facts on file, under a blind index
    scores.py               one citizen's score, explained and sealed
    score_publication.py    everybody's, written only where it changed
    city_facts.py           what the city knows besides: waivers, loans, points, …
    office.py               what staff's commands work with

A city looked at from outside, whatever it runs
    conformance/look.py     one look, from where one stands
    conformance/checks.py   what must hold, where it is written, what to do
    conformance/report.py   what was found
    conformance/probe.py    requests, each bounded, and their answers
    conformance/listed.py   what the region's list says of it
    conformance/endpoints.py  what it says of itself, and how it refuses strangers
    conformance/status.py   its status list
    conformance/asking.py   what a partner gets, and what it must not

What is kept, the only SQL and Valkey
    store/database.py       connections, bounded in number and time
    store/sql.py            named queries from the file beside the module
    store/migrate.py        numbered plain SQL, forward only, hashes checked
    store/preflight.py      what the database says of itself before serving
    store/decision.py       the commit statement, and reading answers back
    store/search.py         the same for searches
    store/standing.py       standings: loading and rebuilding them
    store/limit.py          parties' limits in Valkey: one script for a batch
    store/cache.py          their copy in Valkey: fast, and never believed
    store/line.py           one connection to Valkey, commands out together
    store/citizen.py        who they are (sealed), how they sign in, what they authorised
    store/device.py         device keys
    store/commitment.py     versions of promises, nonces of texts shown
    store/session.py        sessions, each under the hash of its cookie
    store/counter_staff.py  accounts of parties' staff
    store/counter_key.py    their security keys
    store/counter_session.py  and their sessions
    store/counter_question.py  and what they asked, without the citizen
    store/citizen_limit.py  what costs much, so often for each citizen
    store/export.py         all that is held about one citizen, in pages
    store/correction.py     requests for correction, their words sealed
    store/closure.py        open matters, and the one function that erases
    store/party.py          parties, keys, registrations
    store/recognition_request.py  other cities' requests, each step once
    store/recognition.py    what was said of citizens, a row a grant
    store/proof.py          DPoP proofs, each used once
    store/idempotency.py    keys of writes, claimed in the write's own transaction
    store/consent.py        consents by versions, and the requests for them
    store/credit_code.py    codes, each under its keyed hash
    store/desk.py           where parties meet citizens
    store/visit_attempt.py  visits on their way, each under the hash of its secret
    store/visit.py          visitors, their visits, and tokens for their sessions
    store/trust_list.py     the region's list, as last found good
    store/recognition_refusal.py  what was refused to cities, counted by the minute
    store/freshness.py      until when each city's word is fresh
    store/miss.py           wrong guesses, one number a name
    store/webhook.py        messages to parties, written now and sent later
    store/lookup.py         answers read back
    store/watch.py          what is new about those whose pages are open
    store/probe.py          who tried too many different questions today
    store/housekeeping.py   rows whose period is over, forgotten
    store/policy.py         the live set of compiled scenarios
    store/recognition_scheme.py  schemes, each version kept as it is
    store/status_list.py    places in status lists, bits, and copies of them
    store/ending.py         recognitions that stand, and their ends
    store/issuer.py         cities that vouch for visitors, and until when they are fresh
    store/stock.py          pieces left, advisory
    store/fact.py           scoring facts under a blind index
    store/score.py          scores and the runs that published them
    store/city_fact.py      waivers, bills, loans, cards, points, residency, …
    store/seed.py           what only seeding asks
    store/staff.py          acts of staff, for the citizen to see
    store/assisted.py       acts at counters, for the citizen to see

What is counted, and shown to nobody but operators
    counts.py               what one process counts: plain numbers, about nobody
    pulse.py                what a process costs, and where it stood still
    seats.py                counts that outlive a process
    metrics.py              what each metric is called and means, as text
    edge/scrape.py          GET /metrics, on a listener of its own
    monitor.py              what a process shows of itself each second

What everything stands on
    settings.py             all that can be set, in one frozen struct
    preflight.py            what must hold before the first request
    keys.py                 the city's secret keys
    key_rotation.py         and how those towards other cities change
    clock.py                time comes in through the door
    ids.py                  and so do identifiers and randomness
    working_days.py         the calendar, as plain data for the scenarios
    errors.py               what can go wrong, without HTTP
    logs.py                 lines of known keys, and nothing about a person
    processes.py            no process outlives the one that started it

The command line, and a city on one machine
    cli/serve.py            qianjiang serve
    cli/worker.py           qianjiang worker
    cli/migrate.py          qianjiang migrate
    cli/keys.py             qianjiang keys
    cli/parties.py          qianjiang parties
    cli/cities.py           qianjiang cities
    cli/_agreement.py       and its agreements
    cli/_check.py           and whether it keeps the protocol
    cli/_place.py           which city such a command speaks for
    cli/desks.py            qianjiang desks
    cli/staff.py            qianjiang staff
    cli/scenarios.py        qianjiang scenarios
    cli/scores.py           qianjiang scores
    cli/corrections.py      qianjiang corrections
    cli/seed.py             qianjiang seed
    cli/_owner.py           as the database's owner, for the commands of operators
    cli/_tables.py          tables whose names are copied from a terminal
    cli/_files.py           small files that people name
    cli/_entry.py           a city's own entry, and its operators' keys
    cli/_fetched.py         the region's list as it is now
    cli/_foreseen.py        what the region would say of an agreement, said before
    cli/_terms.py           an agreement's terms from the command line
    cli/_itinerary.py       whether a visit can be, said before it begins
    cli/_waiting.py         waiting for what the region's list will say
    cli/_which.py           which running city is meant
    cli/_greeting.py        what is said when everything answers
    cli/_stages.py          saying what a long command is doing
    cli/_played.py          what was played, as tables
    cli/demo.py             qianjiang demo
    cli/up.py               qianjiang up
    cli/region.py           qianjiang region
    cli/visit.py            qianjiang visit
    cli/assertion.py        qianjiang assertion
    cli/clerk.py            qianjiang clerk
    cli/operator.py         qianjiang operator
    cli/bench.py            qianjiang bench
    cli/__main__.py         the same without a script
    local/identity.py       an identity provider that asks no password
    local/people.py         people who do not exist, each from a number
    local/atlas.py          which cities there are, each at addresses of its own
    local/running.py        a whole city: engines, keys, gateway, identity provider, worker
    local/pinned.py         the region that a city of this machine pins
    local/region_file.py    what a region keeps about itself
    local/region_rules.py   what a new entry may not do to the list
    local/region_changes.py  and what it would do to what is there
    local/region_statements.py  what operators say, as a region takes it
    local/region.py         a region's trust list: entries, statements, a serial that grows
    local/region_server.py  and where it is published
    local/company.py        several cities at a time, and their region
    local/alliance.py       cities of one machine become partners
    local/city.py           the engines over a data folder, migrated
    local/postgres.py       an embedded PostgreSQL 18
    local/valkey.py         an embedded Valkey 9
    local/engine.py         what the two engines share
    local/child.py          a child process, from its start to its end
    local/processes.py      several of them, stopped the other way round
    local/seeds.py          the demonstration cities as data
    local/generator.py      any number of generated citizens
    local/populate.py       a demonstration city's whole population
    local/seeding.py        stories come true through the real services
    local/circumstances.py  what the city knows of a persona, as rows
    local/seed_device.py    a seeded citizen's own signing key
    local/credentials.py    the parties' keys, kept by this machine
    local/clerks.py         the counters' staff, whose secrets this machine keeps
    local/settlement.py     all of these at once
    local/upfile.py         up.json, for people's scripts
    local/day.py            a day played, each outcome beside its expectation
    local/steps.py          who does what, and what must come of it
    local/between.py        the same between two cities
    local/troupe.py         directing the players
    local/players/stage.py    how a player is told what to do
    local/players/counter.py  the parties: they know the contract only
    local/players/people.py   the citizens: so do they
    local/players/account.py  somebody's browser at one city
    local/players/visitor.py  and on the way to another
    local/places.py         folders, sockets, logs, passwords
    local/binaries.py       where the engines' programs are
"""
