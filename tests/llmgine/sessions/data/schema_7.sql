BEGIN TRANSACTION;
CREATE TABLE cursor_of_place (
            source TEXT NOT NULL,
            place TEXT NOT NULL,
            position BIGINT NOT NULL,
            PRIMARY KEY (source, place)
        );
INSERT INTO "cursor_of_place" VALUES('discord','100000000000000011',100000000000000011);
INSERT INTO "cursor_of_place" VALUES('discord','100000000000000012',100000000000000012);
INSERT INTO "cursor_of_place" VALUES('discord','1576360595370803200',1576360595370803200);
INSERT INTO "cursor_of_place" VALUES('discord','1576360596993998849',1576360596998193151);
CREATE TABLE decision (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            attempt BIGINT NOT NULL,
            call_id TEXT NOT NULL,
            body TEXT NOT NULL,
            made_at BIGINT NOT NULL,
            PRIMARY KEY (turn_id, attempt, call_id)
        );
INSERT INTO "decision" VALUES('3529895d25942cdf',1,'t5AgvgpLC','{"kind":"decision","call_id":"t5AgvgpLC","approved":true,"decided_by":{"id":"100000000000000021","name":"Ada"},"reason":null,"always":false}',1795904053421144);
CREATE TABLE delivery (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            attempt BIGINT NOT NULL,
            kind TEXT NOT NULL,
            round BIGINT NOT NULL,
            part BIGINT NOT NULL,
            body TEXT NOT NULL,
            message_id TEXT,
            final BIGINT NOT NULL,
            sent BIGINT NOT NULL,
            PRIMARY KEY (turn_id, attempt, kind, round, part)
        );
INSERT INTO "delivery" VALUES('e2405efebb22925d',1,'card',0,0,'{"embed": {"color": 3908957, "fields": [{"name": "\u2705 calculate", "value": "`expression: 24*7`\n`168`\ndone \u00b7 0.0 s", "inline": false}]}, "buttons": [{"custom_id": "lg:details:e2405efebb22925d:1:0.0", "label": "Details", "style": "secondary", "row": 2}]}','1576360594800377856',1,1);
INSERT INTO "delivery" VALUES('e2405efebb22925d',1,'text',1,0,'{"content": "It is 168.\n-# test-model \u00b7 30 tokens \u00b7 0.0 s", "buttons": [{"custom_id": "lg:regenerate:e2405efebb22925d:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:e2405efebb22925d:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:e2405efebb22925d:1", "label": "Details", "style": "secondary", "row": 3}]}','1576360594821349376',1,1);
INSERT INTO "delivery" VALUES('5d6e8422e48e41dc',1,'text',0,0,'{"content": "A dog.\n-# test-model \u00b7 15 tokens \u00b7 0.0 s", "buttons": [{"custom_id": "lg:regenerate:5d6e8422e48e41dc:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:5d6e8422e48e41dc:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:5d6e8422e48e41dc:1", "label": "Details", "style": "secondary", "row": 3}]}','1576360594917818368',1,1);
INSERT INTO "delivery" VALUES('5d6e8422e48e41dc',2,'text',0,0,'{"content": "A cat, and a list.\n-# test-model \u00b7 15 tokens \u00b7 0.0 s", "buttons": [{"custom_id": "lg:regenerate:5d6e8422e48e41dc:2", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:5d6e8422e48e41dc:2", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:5d6e8422e48e41dc:2", "label": "Details", "style": "secondary", "row": 3}]}','1576360594917818368',1,1);
INSERT INTO "delivery" VALUES('eb8408d7c6e6d908',1,'text',0,0,'{"content": "Hello Grace.\n-# test-model \u00b7 15 tokens \u00b7 0.0 s", "buttons": [{"custom_id": "lg:regenerate:eb8408d7c6e6d908:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:eb8408d7c6e6d908:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:eb8408d7c6e6d908:1", "label": "Details", "style": "secondary", "row": 3}]}','1576360595140116480',1,1);
INSERT INTO "delivery" VALUES('ee602874c5f638a7',1,'notice',0,0,'{"content": "\u26a0\ufe0f The model service at 127.0.0.1 refused the request (400). It said: this is not allowed\n-# 0.0 s", "buttons": [{"custom_id": "lg:retry:ee602874c5f638a7:1", "label": "Retry", "style": "primary", "row": 3}, {"custom_id": "lg:undo:ee602874c5f638a7:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:ee602874c5f638a7:1", "label": "Details", "style": "secondary", "row": 3}]}','1576360595240779776',1,1);
INSERT INTO "delivery" VALUES('781ff04cf125563c',1,'text',0,0,'{"content": "Once upon"}','1576360595303694336',1,1);
INSERT INTO "delivery" VALUES('781ff04cf125563c',1,'notice',0,0,'{"content": "\u23f9\ufe0f Stopped.\n-# 0.0 s", "buttons": [{"custom_id": "lg:regenerate:781ff04cf125563c:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:781ff04cf125563c:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:781ff04cf125563c:1", "label": "Details", "style": "secondary", "row": 3}]}','1576360595354025984',1,1);
INSERT INTO "delivery" VALUES('3529895d25942cdf',1,'card',0,0,'{"embed": {"color": 3908957, "fields": [{"name": "\u2705 send_email", "value": "`to: test@example.com, subject: Hello, body: Approved`\n`Not sent, because no mail server is configured: written to data/outbox/20261128-221413-f076320e.eml`\ndone \u00b7 0.0 s \u00b7 approved by <@100000000000000021>", "inline": false}]}, "buttons": [{"custom_id": "lg:details:3529895d25942cdf:1:0.0", "label": "Details", "style": "secondary", "row": 2}]}','1576360595857342464',1,1);
INSERT INTO "delivery" VALUES('3529895d25942cdf',1,'text',1,0,'{"content": "It is sent.\n-# test-model \u00b7 30 tokens \u00b7 0.1 s", "buttons": [{"custom_id": "lg:regenerate:3529895d25942cdf:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:3529895d25942cdf:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:3529895d25942cdf:1", "label": "Details", "style": "secondary", "row": 3}]}','1576360595953811456',1,1);
INSERT INTO "delivery" VALUES('06fa15ac8f4ca248',1,'text',0,0,'{}','1576360596545208320',0,0);
INSERT INTO "delivery" VALUES('06fa15ac8f4ca248',1,'card',0,0,'{}','1576360596989804544',0,0);
INSERT INTO "delivery" VALUES('900889571f4be0d6',1,'card',0,0,'{}','1576360597484732416',0,0);
CREATE TABLE image (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            number BIGINT NOT NULL,
            data TEXT NOT NULL,
            PRIMARY KEY (turn_id, number)
        );
INSERT INTO "image" VALUES('5d6e8422e48e41dc',0,'data:image/png;base64,iVBORw0KGgoAAAAAAAAAAAAAAAAAAAAA');
INSERT INTO "image" VALUES('d17f3352c881415c',0,'data:image/png;base64,iVBORw0KGgoAAAAAAAAAAAAAAAAAAAAA');
CREATE TABLE "inbox" (
            source TEXT NOT NULL,
            source_id TEXT NOT NULL,
            turn_id TEXT NOT NULL REFERENCES turn (id) DEFERRABLE INITIALLY DEFERRED,
            PRIMARY KEY (source, source_id)
        );
INSERT INTO "inbox" VALUES('discord','1576360594666160128','e2405efebb22925d');
INSERT INTO "inbox" VALUES('discord','1576360594842320896','5d6e8422e48e41dc');
INSERT INTO "inbox" VALUES('discord','1576360595077201920','eb8408d7c6e6d908');
INSERT INTO "inbox" VALUES('discord','1576360595182059520','ee602874c5f638a7');
INSERT INTO "inbox" VALUES('discord','1576360595253362688','781ff04cf125563c');
INSERT INTO "inbox" VALUES('discord','1576360595370803201','3529895d25942cdf');
INSERT INTO "inbox" VALUES('terminal','0a1b2c3d-1','618ad7183ca46e8f');
INSERT INTO "inbox" VALUES('terminal','0a1b2c3d-2','e80080a1ec721a3b');
INSERT INTO "inbox" VALUES('discord','1576360596478099456','06fa15ac8f4ca248');
INSERT INTO "inbox" VALUES('discord','1576360596993998848','cb04b1445d274dbb');
INSERT INTO "inbox" VALUES('discord','1576360596998193152','900889571f4be0d6');
CREATE TABLE lesson (
            service TEXT NOT NULL,
            model TEXT NOT NULL,
            name TEXT NOT NULL,
            value BIGINT NOT NULL,
            said TEXT NOT NULL,
            learnt_at BIGINT NOT NULL DEFAULT 0,
            PRIMARY KEY (service, model, name)
        );
CREATE TABLE login (source TEXT NOT NULL, at BIGINT NOT NULL);
INSERT INTO "login" VALUES('discord',1795904053);
CREATE TABLE schema_version (version BIGINT NOT NULL);
INSERT INTO "schema_version" VALUES(7);
CREATE TABLE session (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            cleared_seq BIGINT NOT NULL,
            scopes TEXT NOT NULL DEFAULT '[]', title TEXT, next_seq BIGINT NOT NULL DEFAULT 1, updated_at BIGINT NOT NULL DEFAULT 0);
INSERT INTO "session" VALUES('discord:100000000000000011','#general in Playground',0,'["discord:100000000000000011", "discord:category:100000000000000013", "discord:server:100000000000000001"]',NULL,4,1795904053231874);
INSERT INTO "session" VALUES('discord:100000000000000012','#random in Playground',0,'["discord:100000000000000012", "discord:category:100000000000000013", "discord:server:100000000000000001"]',NULL,5,1795904053691265);
INSERT INTO "session" VALUES('discord:1576360595370803200','DM with Ada',0,'["discord:1576360595370803200"]',NULL,2,1795904053302836);
INSERT INTO "session" VALUES('discord:1576360596012531712','#On from general in Playground',0,'["discord:1576360596012531712", "discord:100000000000000011", "discord:category:100000000000000013", "discord:server:100000000000000001"]',NULL,4,1795904053455566);
INSERT INTO "session" VALUES('terminal:0a1b2c3d','Terminal',0,'[]',NULL,3,1795904053557302);
INSERT INTO "session" VALUES('discord:1576360596993998849','#Mail in Playground',0,'["discord:1576360596993998849", "discord:100000000000000011", "discord:category:100000000000000013", "discord:server:100000000000000001"]',NULL,2,1795904053693858);
CREATE TABLE setting (
            scope TEXT NOT NULL,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            changed_by TEXT NOT NULL,
            changed_at BIGINT NOT NULL DEFAULT 0,
            PRIMARY KEY (scope, name)
        );
INSERT INTO "setting" VALUES('discord:100000000000000011','system_prompt','Be kind.','100000000000000021',1795904053118373);
INSERT INTO "setting" VALUES('discord:server:100000000000000001','style','brief','100000000000000021',1795904053124989);
INSERT INTO "setting" VALUES('discord:category:100000000000000013','daily_tokens','200000','100000000000000021',1795904053130517);
CREATE TABLE spent (
            scope TEXT NOT NULL,
            day BIGINT NOT NULL,
            tokens BIGINT NOT NULL,
            PRIMARY KEY (scope, day)
        );
INSERT INTO "spent" VALUES('*',20785,308);
INSERT INTO "spent" VALUES('discord:100000000000000011',20785,90);
INSERT INTO "spent" VALUES('discord:category:100000000000000013',20785,248);
INSERT INTO "spent" VALUES('discord:server:100000000000000001',20785,248);
INSERT INTO "spent" VALUES('discord:100000000000000012',20785,158);
INSERT INTO "spent" VALUES('discord:1576360595370803200',20785,30);
INSERT INTO "spent" VALUES('terminal:0a1b2c3d',20785,30);
INSERT INTO "spent" VALUES('discord:1576360596993998849',20785,15);
CREATE TABLE step (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            attempt BIGINT NOT NULL,
            seq BIGINT NOT NULL,
            body TEXT NOT NULL, parts TEXT,
            PRIMARY KEY (turn_id, attempt, seq)
        );
INSERT INTO "step" VALUES('e2405efebb22925d',1,1,'{"kind":"prompt","text":"What is 24*7?","source_id":"1576360594666160128","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('e2405efebb22925d',1,2,'{"kind":"reply","round":0,"text":"","tool_calls":[{"id":"Hh836T8eT","name":"calculate","arguments":"{\"expression\": \"24*7\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.007229032999021001,"left_out":[],"history_from":0,"sent_tokens":814,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('e2405efebb22925d',1,3,'{"kind":"started","round":0,"call_id":"Hh836T8eT","at":"2026-11-28T22:14:13.149591Z"}',NULL);
INSERT INTO "step" VALUES('e2405efebb22925d',1,4,'{"kind":"result","round":0,"result":{"call_id":"Hh836T8eT","name":"calculate","content":"168","ok":true},"seconds":0.0010947969967673998}',NULL);
INSERT INTO "step" VALUES('e2405efebb22925d',1,5,'{"kind":"reply","round":1,"text":"It is 168.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.005051086001913063,"left_out":[],"history_from":0,"sent_tokens":888,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('e2405efebb22925d',1,6,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.01933282999743824,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('5d6e8422e48e41dc',1,1,'{"kind":"prompt","text":"What is this?","source_id":"1576360594842320896","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[{"name":"cat.png","media_type":"image/png","size":24,"id":"1576360594842320897","text":null,"image":0,"note":null},{"name":"list.txt","media_type":"application/octet-stream","size":11,"id":"1576360594842320898","text":"milk, bread","image":null,"note":null}]}',NULL);
INSERT INTO "step" VALUES('5d6e8422e48e41dc',1,2,'{"kind":"reply","round":0,"text":"A dog.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.009318527998402715,"left_out":[],"history_from":0,"sent_tokens":null,"enveloped":true}',NULL);
INSERT INTO "step" VALUES('5d6e8422e48e41dc',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.009960401999705937,"refused":false,"enveloped":true,"history_from":0}',NULL);
INSERT INTO "step" VALUES('5d6e8422e48e41dc',2,1,'{"kind":"prompt","text":"What is this?","source_id":"1576360594842320896","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[{"name":"cat.png","media_type":"image/png","size":24,"id":"1576360594842320897","text":null,"image":0,"note":null},{"name":"list.txt","media_type":"application/octet-stream","size":11,"id":"1576360594842320898","text":"milk, bread","image":null,"note":null}]}',NULL);
INSERT INTO "step" VALUES('5d6e8422e48e41dc',2,2,'{"kind":"reply","round":0,"text":"A cat, and a list.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.009944408000592375,"left_out":[],"history_from":0,"sent_tokens":null,"enveloped":true}',NULL);
INSERT INTO "step" VALUES('5d6e8422e48e41dc',2,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.011249567996856058,"refused":false,"enveloped":true,"history_from":0}',NULL);
INSERT INTO "step" VALUES('eb8408d7c6e6d908',1,1,'{"kind":"prompt","text":"And I am Grace.","source_id":"1576360595077201920","version":0,"author":{"id":"100000000000000022","name":"Grace"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('eb8408d7c6e6d908',1,2,'{"kind":"reply","round":0,"text":"Hello Grace.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.009399509002832929,"left_out":[],"history_from":0,"sent_tokens":null,"enveloped":true}',NULL);
INSERT INTO "step" VALUES('eb8408d7c6e6d908',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.010051877998193959,"refused":false,"enveloped":true,"history_from":0}',NULL);
INSERT INTO "step" VALUES('ee602874c5f638a7',1,1,'{"kind":"prompt","text":"This fails.","source_id":"1576360595182059520","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('ee602874c5f638a7',1,2,'{"kind":"outcome","state":"failed","notice":"The model service at 127.0.0.1 refused the request (400). It said: this is not allowed","partial":"","seconds":0.006551125999976648,"refused":true,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('781ff04cf125563c',1,1,'{"kind":"prompt","text":"Tell me a story.","source_id":"1576360595253362688","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('781ff04cf125563c',1,2,'{"kind":"outcome","state":"stopped","notice":"Stopped.","partial":"Once upon ","seconds":0.015519071999733569,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('3529895d25942cdf',1,1,'{"kind":"prompt","text":"Write to them.","source_id":"1576360595370803201","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('3529895d25942cdf',1,2,'{"kind":"reply","round":0,"text":"","tool_calls":[{"id":"t5AgvgpLC","name":"send_email","arguments":"{\"to\": \"test@example.com\", \"subject\": \"Hello\", \"body\": \"Approved\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.006733646001521265,"left_out":[],"history_from":0,"sent_tokens":816,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('3529895d25942cdf',1,3,'{"kind":"waiting","round":0,"call_id":"t5AgvgpLC","deadline":"2126-11-04T22:14:13.313479Z","fingerprint":"5988af49a061282b127e17f6005ec488cb5f9ec83cff1badd075d57e1e902c25","allows_always":false}',NULL);
INSERT INTO "step" VALUES('3529895d25942cdf',1,4,'{"kind":"decision","call_id":"t5AgvgpLC","approved":true,"decided_by":{"id":"100000000000000021","name":"Ada"},"reason":null,"always":false}',NULL);
INSERT INTO "step" VALUES('3529895d25942cdf',1,5,'{"kind":"started","round":0,"call_id":"t5AgvgpLC","at":"2026-11-28T22:14:13.423296Z"}',NULL);
INSERT INTO "step" VALUES('3529895d25942cdf',1,6,'{"kind":"result","round":0,"result":{"call_id":"t5AgvgpLC","name":"send_email","content":"Not sent, because no mail server is configured: written to data/outbox/20261128-221413-f076320e.eml","ok":true},"seconds":0.00526472400088096}',NULL);
INSERT INTO "step" VALUES('3529895d25942cdf',1,7,'{"kind":"reply","round":1,"text":"It is sent.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.006516845001897309,"left_out":[],"history_from":0,"sent_tokens":939,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('3529895d25942cdf',1,8,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.13385145999927772,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('7080c6f7f072309b',1,1,'{"kind":"prompt","text":"What is 24*7?","source_id":"1576360594666160128","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('7080c6f7f072309b',1,2,'{"kind":"reply","round":0,"text":"","tool_calls":[{"id":"Hh836T8eT","name":"calculate","arguments":"{\"expression\": \"24*7\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.007229032999021001,"left_out":[],"history_from":0,"sent_tokens":814,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('7080c6f7f072309b',1,3,'{"kind":"started","round":0,"call_id":"Hh836T8eT","at":"2026-11-28T22:14:13.149591Z"}',NULL);
INSERT INTO "step" VALUES('7080c6f7f072309b',1,4,'{"kind":"result","round":0,"result":{"call_id":"Hh836T8eT","name":"calculate","content":"168","ok":true},"seconds":0.0010947969967673998}',NULL);
INSERT INTO "step" VALUES('7080c6f7f072309b',1,5,'{"kind":"reply","round":1,"text":"It is 168.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.005051086001913063,"left_out":[],"history_from":0,"sent_tokens":888,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('7080c6f7f072309b',1,6,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.01933282999743824,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('d17f3352c881415c',1,1,'{"kind":"prompt","text":"What is this?","source_id":"1576360594842320896","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[{"name":"cat.png","media_type":"image/png","size":24,"id":"1576360594842320897","text":null,"image":0,"note":null},{"name":"list.txt","media_type":"application/octet-stream","size":11,"id":"1576360594842320898","text":"milk, bread","image":null,"note":null}]}',NULL);
INSERT INTO "step" VALUES('d17f3352c881415c',1,2,'{"kind":"reply","round":0,"text":"A cat, and a list.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.009944408000592375,"left_out":[],"history_from":0,"sent_tokens":null,"enveloped":true}',NULL);
INSERT INTO "step" VALUES('d17f3352c881415c',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.011249567996856058,"refused":false,"enveloped":true,"history_from":0}',NULL);
INSERT INTO "step" VALUES('3268de0489e16f3a',1,1,'{"kind":"prompt","text":"And I am Grace.","source_id":"1576360595077201920","version":0,"author":{"id":"100000000000000022","name":"Grace"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('3268de0489e16f3a',1,2,'{"kind":"reply","round":0,"text":"Hello Grace.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.009399509002832929,"left_out":[],"history_from":0,"sent_tokens":null,"enveloped":true}',NULL);
INSERT INTO "step" VALUES('3268de0489e16f3a',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.010051877998193959,"refused":false,"enveloped":true,"history_from":0}',NULL);
INSERT INTO "step" VALUES('618ad7183ca46e8f',1,1,'{"kind":"prompt","text":"Line 1","source_id":"0a1b2c3d-1","version":0,"author":{"id":"ann","name":"ann"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('618ad7183ca46e8f',1,2,'{"kind":"reply","round":0,"text":"Answer 1.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.09107442400272703,"left_out":[],"history_from":0,"sent_tokens":813,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('618ad7183ca46e8f',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.09142853099911008,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('e80080a1ec721a3b',1,1,'{"kind":"prompt","text":"Line 2","source_id":"0a1b2c3d-2","version":0,"author":{"id":"ann","name":"ann"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('e80080a1ec721a3b',1,2,'{"kind":"reply","round":0,"text":"Answer 2.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.0035384680013521574,"left_out":[],"history_from":0,"sent_tokens":862,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('e80080a1ec721a3b',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.003935008000553353,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('06fa15ac8f4ca248',1,1,'{"kind":"prompt","text":"Order a pizza.","source_id":"1576360596478099456","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('06fa15ac8f4ca248',1,2,'{"kind":"reply","round":0,"text":"Let me order.","tool_calls":[{"id":"u0Qz5H651","name":"order_pizza","arguments":"{\"size\": \"large\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.008555304000765318,"left_out":[],"history_from":0,"sent_tokens":901,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('06fa15ac8f4ca248',1,3,'{"kind":"started","round":0,"call_id":"u0Qz5H651","at":"2026-11-28T22:14:13.578599Z"}',NULL);
INSERT INTO "step" VALUES('cb04b1445d274dbb',1,1,'{"kind":"prompt","text":"Are you there?","source_id":"1576360596993998848","version":0,"author":{"id":"100000000000000022","name":"Grace"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('900889571f4be0d6',1,1,'{"kind":"prompt","text":"Write to them too.","source_id":"1576360596998193152","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('900889571f4be0d6',1,2,'{"kind":"reply","round":0,"text":"","tool_calls":[{"id":"EmqWqkneD","name":"send_email","arguments":"{\"to\": \"test@example.com\", \"subject\": \"Hello\", \"body\": \"Waiting\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.004170187999989139,"left_out":[],"history_from":0,"sent_tokens":816,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('900889571f4be0d6',1,3,'{"kind":"waiting","round":0,"call_id":"EmqWqkneD","deadline":"2126-11-04T22:14:13.701384Z","fingerprint":"d553dfdfea4a6e09381cfa20f53379261aa501f001726b0dacc7067f4d1e5c2a","allows_always":false}',NULL);
CREATE TABLE stop_request (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            attempt BIGINT NOT NULL,
            PRIMARY KEY (turn_id, attempt)
        );
INSERT INTO "stop_request" VALUES('781ff04cf125563c',1);
CREATE TABLE turn (
            id TEXT PRIMARY KEY,
            session_id TEXT NOT NULL REFERENCES session (id),
            seq BIGINT NOT NULL,
            attempt BIGINT NOT NULL,
            resumes BIGINT NOT NULL,
            state TEXT NOT NULL,
            owner TEXT NOT NULL,
            source TEXT NOT NULL,
            origin TEXT NOT NULL,
            claim BIGINT NOT NULL DEFAULT 0, place TEXT, guild BIGINT, copied_from TEXT, posts BIGINT NOT NULL DEFAULT 0, created_at BIGINT NOT NULL DEFAULT 0,
            UNIQUE (session_id, seq)
        );
INSERT INTO "turn" VALUES('e2405efebb22925d','discord:100000000000000011',1,1,0,'done','aea39929aa54bfad','discord','{"channel_id": "100000000000000011", "message_id": "1576360594666160128", "cards": "normal", "kind": "channel", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',1,'100000000000000011',100000000000000001,NULL,2,1795904053136690);
INSERT INTO "turn" VALUES('5d6e8422e48e41dc','discord:100000000000000011',2,2,0,'done','aea39929aa54bfad','discord','{"channel_id": "100000000000000011", "message_id": "1576360594842320896", "cards": "normal", "kind": "channel", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',3,'100000000000000011',100000000000000001,NULL,1,1795904053178048);
INSERT INTO "turn" VALUES('eb8408d7c6e6d908','discord:100000000000000011',3,1,0,'done','aea39929aa54bfad','discord','{"channel_id": "100000000000000011", "message_id": "1576360595077201920", "cards": "normal", "kind": "channel", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',1,'100000000000000011',100000000000000001,NULL,1,1795904053231874);
INSERT INTO "turn" VALUES('ee602874c5f638a7','discord:100000000000000012',1,1,0,'failed','aea39929aa54bfad','discord','{"channel_id": "100000000000000012", "message_id": "1576360595182059520", "cards": "normal", "kind": "channel", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',1,'100000000000000012',100000000000000001,NULL,1,1795904053256608);
INSERT INTO "turn" VALUES('781ff04cf125563c','discord:100000000000000012',2,1,0,'stopped','aea39929aa54bfad','discord','{"channel_id": "100000000000000012", "message_id": "1576360595253362688", "cards": "normal", "kind": "channel", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',1,'100000000000000012',100000000000000001,NULL,2,1795904053273948);
INSERT INTO "turn" VALUES('3529895d25942cdf','discord:1576360595370803200',1,1,0,'done','aea39929aa54bfad','discord','{"channel_id": "1576360595370803200", "message_id": "1576360595370803201", "cards": "normal", "kind": "dm"}',1,'1576360595370803200',NULL,NULL,2,1795904053302836);
INSERT INTO "turn" VALUES('7080c6f7f072309b','discord:1576360596012531712',1,1,0,'done','aea39929aa54bfad','branch','{}',0,NULL,NULL,'e2405efebb22925d',0,1795904053136690);
INSERT INTO "turn" VALUES('d17f3352c881415c','discord:1576360596012531712',2,1,0,'done','aea39929aa54bfad','branch','{}',0,NULL,NULL,'5d6e8422e48e41dc',0,1795904053178048);
INSERT INTO "turn" VALUES('3268de0489e16f3a','discord:1576360596012531712',3,1,0,'done','aea39929aa54bfad','branch','{}',0,NULL,NULL,'eb8408d7c6e6d908',0,1795904053231874);
INSERT INTO "turn" VALUES('618ad7183ca46e8f','terminal:0a1b2c3d',1,1,0,'done','aea39929aa54bfad','terminal','{}',1,NULL,NULL,NULL,0,1795904053460094);
INSERT INTO "turn" VALUES('e80080a1ec721a3b','terminal:0a1b2c3d',2,1,0,'done','aea39929aa54bfad','terminal','{}',1,NULL,NULL,NULL,0,1795904053557302);
INSERT INTO "turn" VALUES('06fa15ac8f4ca248','discord:100000000000000012',3,1,0,'running','aea39929aa54bfad','discord','{"channel_id": "100000000000000012", "message_id": "1576360596478099456", "cards": "normal", "kind": "channel", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',1,'100000000000000012',100000000000000001,NULL,2,1795904053566258);
INSERT INTO "turn" VALUES('cb04b1445d274dbb','discord:100000000000000012',4,1,0,'queued','aea39929aa54bfad','discord','{"channel_id": "100000000000000012", "message_id": "1576360596993998848", "cards": "normal", "kind": "channel", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',0,'100000000000000012',100000000000000001,NULL,0,1795904053691265);
INSERT INTO "turn" VALUES('900889571f4be0d6','discord:1576360596993998849',1,1,0,'waiting','aea39929aa54bfad','discord','{"channel_id": "1576360596993998849", "message_id": "1576360596998193152", "cards": "normal", "kind": "thread", "parent_id": "100000000000000011", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',1,'1576360596993998849',100000000000000001,NULL,1,1795904053693858);
CREATE INDEX delivery_message ON delivery (message_id);
CREATE INDEX delivery_unsent ON delivery (turn_id) WHERE sent = 0;
CREATE INDEX login_at ON login (source, at);
CREATE UNIQUE INDEX one_running ON turn (session_id) WHERE state IN ('running', 'waiting');
CREATE INDEX turn_open ON turn (session_id, seq) WHERE state IN ('queued', 'running', 'waiting');
CREATE INDEX turn_copies ON turn (copied_from) WHERE copied_from IS NOT NULL;
CREATE VIEW open_turn AS SELECT * FROM turn WHERE state IN ('queued', 'running', 'waiting');
CREATE VIEW ended_turn AS SELECT * FROM turn WHERE state IN ('done', 'failed', 'stopped');
COMMIT;
