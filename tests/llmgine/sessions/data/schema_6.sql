BEGIN TRANSACTION;
CREATE TABLE cursor_of_place (
            source TEXT NOT NULL,
            place TEXT NOT NULL,
            position BIGINT NOT NULL,
            PRIMARY KEY (source, place)
        );
INSERT INTO "cursor_of_place" VALUES('discord','100000000000000011',1576313401410322432);
INSERT INTO "cursor_of_place" VALUES('discord','100000000000000012',100000000000000012);
INSERT INTO "cursor_of_place" VALUES('discord','1576313401934610432',1576313401934610432);
INSERT INTO "cursor_of_place" VALUES('discord','1576313403503280129',1576313403503280130);
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
INSERT INTO "delivery" VALUES('af59ef2f80ac4d34',1,'card',0,0,'{"embed": {"color": 3908957, "fields": [{"name": "\u2705 calculate", "value": "`expression: 24*7`\n`168`\ndone \u00b7 0.0 s", "inline": false}]}, "buttons": [{"custom_id": "lg:details:af59ef2f80ac4d34:1:0.0", "label": "Details", "style": "secondary", "row": 2}]}','1576313401552928768',1,1);
INSERT INTO "delivery" VALUES('af59ef2f80ac4d34',1,'text',1,0,'{"content": "It is 168.\n-# test-model \u00b7 30 tokens \u00b7 0.0 s", "buttons": [{"custom_id": "lg:regenerate:af59ef2f80ac4d34:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:af59ef2f80ac4d34:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:af59ef2f80ac4d34:1", "label": "Details", "style": "secondary", "row": 3}]}','1576313401565511680',1,1);
INSERT INTO "delivery" VALUES('cbca95b7aea158ad',1,'text',0,0,'{"content": "A dog.\n-# test-model \u00b7 15 tokens \u00b7 0.0 s", "buttons": [{"custom_id": "lg:regenerate:cbca95b7aea158ad:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:cbca95b7aea158ad:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:cbca95b7aea158ad:1", "label": "Details", "style": "secondary", "row": 3}]}','1576313401632620544',1,1);
INSERT INTO "delivery" VALUES('cbca95b7aea158ad',2,'text',0,0,'{"content": "A cat, and a list.\n-# test-model \u00b7 15 tokens \u00b7 0.0 s", "buttons": [{"custom_id": "lg:regenerate:cbca95b7aea158ad:2", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:cbca95b7aea158ad:2", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:cbca95b7aea158ad:2", "label": "Details", "style": "secondary", "row": 3}]}','1576313401632620544',1,1);
INSERT INTO "delivery" VALUES('b4711833ca1251ba',1,'text',0,0,'{"content": "Hello Grace.\n-# test-model \u00b7 15 tokens \u00b7 0.0 s", "buttons": [{"custom_id": "lg:regenerate:b4711833ca1251ba:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:b4711833ca1251ba:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:b4711833ca1251ba:1", "label": "Details", "style": "secondary", "row": 3}]}','1576313401779421184',1,1);
INSERT INTO "delivery" VALUES('223539fc0ed04de9',1,'notice',0,0,'{"content": "\u26a0\ufe0f The model service at 127.0.0.1 refused the request (400). It said: this is not allowed\n-# 0.0 s", "buttons": [{"custom_id": "lg:retry:223539fc0ed04de9:1", "label": "Retry", "style": "primary", "row": 3}, {"custom_id": "lg:undo:223539fc0ed04de9:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:223539fc0ed04de9:1", "label": "Details", "style": "secondary", "row": 3}]}','1576313401842335744',1,1);
INSERT INTO "delivery" VALUES('aae9d31a312762ac',1,'text',0,0,'{"content": "Once upon"}','1576313401892667392',1,1);
INSERT INTO "delivery" VALUES('aae9d31a312762ac',1,'notice',0,0,'{"content": "\u23f9\ufe0f Stopped.\n-# 0.0 s", "buttons": [{"custom_id": "lg:regenerate:aae9d31a312762ac:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:aae9d31a312762ac:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:aae9d31a312762ac:1", "label": "Details", "style": "secondary", "row": 3}]}','1576313401922027520',1,1);
INSERT INTO "delivery" VALUES('cc3d501fac093061',1,'card',0,0,'{"embed": {"color": 3908957, "fields": [{"name": "\u2705 send_email", "value": "`to: test@example.com, subject: Hello, body: Approved`\n`Not sent, because no mail server is configured: written to data/outbox/20261128-190641-3c1b63eb.eml`\ndone \u00b7 0.0 s \u00b7 approved by <@100000000000000021>", "inline": false}]}, "buttons": [{"custom_id": "lg:details:cc3d501fac093061:1:0.0", "label": "Details", "style": "secondary", "row": 2}]}','1576313402408566784',1,1);
INSERT INTO "delivery" VALUES('cc3d501fac093061',1,'text',1,0,'{"content": "It is sent.\n-# test-model \u00b7 30 tokens \u00b7 0.1 s", "buttons": [{"custom_id": "lg:regenerate:cc3d501fac093061:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:cc3d501fac093061:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:cc3d501fac093061:1", "label": "Details", "style": "secondary", "row": 3}]}','1576313402500841472',1,1);
INSERT INTO "delivery" VALUES('4b69b1f4d158a51a',1,'text',0,0,'{}','1576313403067072512',0,0);
INSERT INTO "delivery" VALUES('4b69b1f4d158a51a',1,'card',0,0,'{}','1576313403499085824',0,0);
INSERT INTO "delivery" VALUES('7f1bba6c00e360ec',1,'card',0,0,'{}','1576313403985625088',0,0);
CREATE TABLE image (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            number BIGINT NOT NULL,
            data TEXT NOT NULL,
            PRIMARY KEY (turn_id, number)
        );
INSERT INTO "image" VALUES('cbca95b7aea158ad',0,'data:image/png;base64,iVBORw0KGgoAAAAAAAAAAAAAAAAAAAAA');
INSERT INTO "image" VALUES('0474ed7cee07400b',0,'data:image/png;base64,iVBORw0KGgoAAAAAAAAAAAAAAAAAAAAA');
CREATE TABLE inbox (
            source TEXT NOT NULL,
            source_id TEXT NOT NULL,
            turn_id TEXT NOT NULL REFERENCES turn (id),
            PRIMARY KEY (source, source_id)
        );
INSERT INTO "inbox" VALUES('discord','1576313401456459776','af59ef2f80ac4d34');
INSERT INTO "inbox" VALUES('discord','1576313401573900288','cbca95b7aea158ad');
INSERT INTO "inbox" VALUES('discord','1576313401733283840','b4711833ca1251ba');
INSERT INTO "inbox" VALUES('discord','1576313401800392704','223539fc0ed04de9');
INSERT INTO "inbox" VALUES('discord','1576313401854918656','aae9d31a312762ac');
INSERT INTO "inbox" VALUES('discord','1576313401934610433','cc3d501fac093061');
INSERT INTO "inbox" VALUES('terminal','0a1b2c3d-1','f26eb13c36b598ed');
INSERT INTO "inbox" VALUES('terminal','0a1b2c3d-2','ba5d16f1d1a51dc7');
INSERT INTO "inbox" VALUES('discord','1576313403016740864','4b69b1f4d158a51a');
INSERT INTO "inbox" VALUES('discord','1576313403503280128','41b9a46a772ac475');
INSERT INTO "inbox" VALUES('discord','1576313403503280131','7f1bba6c00e360ec');
CREATE TABLE lesson (
            service TEXT NOT NULL,
            model TEXT NOT NULL,
            name TEXT NOT NULL,
            value BIGINT NOT NULL,
            said TEXT NOT NULL,
            learnt_at TEXT NOT NULL,
            PRIMARY KEY (service, model, name)
        );
CREATE TABLE login (source TEXT NOT NULL, at BIGINT NOT NULL);
INSERT INTO "login" VALUES('discord',1795892801);
CREATE TABLE schema_version (version BIGINT NOT NULL);
INSERT INTO "schema_version" VALUES(6);
CREATE TABLE session (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            cleared_seq BIGINT NOT NULL,
            updated_at TEXT NOT NULL
        , scopes TEXT NOT NULL DEFAULT '[]', title TEXT);
INSERT INTO "session" VALUES('discord:100000000000000011','#general in Playground',0,'2026-11-28T19:06:41.471206+00:00','["discord:100000000000000011", "discord:category:100000000000000013", "discord:server:100000000000000001"]',NULL);
INSERT INTO "session" VALUES('discord:100000000000000012','#random in Playground',0,'2026-11-28T19:06:41.886051+00:00','["discord:100000000000000012", "discord:category:100000000000000013", "discord:server:100000000000000001"]',NULL);
INSERT INTO "session" VALUES('discord:1576313401934610432','DM with Ada',0,'2026-11-28T19:06:41.641408+00:00','["discord:1576313401934610432"]',NULL);
INSERT INTO "session" VALUES('discord:1576313402945437696','#On from general in Playground',0,'2026-11-28T19:06:41.750660+00:00','["discord:1576313402945437696", "discord:100000000000000011", "discord:category:100000000000000013", "discord:server:100000000000000001"]',NULL);
INSERT INTO "session" VALUES('terminal:0a1b2c3d','Terminal',0,'2026-11-28T19:06:41.765650+00:00','[]',NULL);
INSERT INTO "session" VALUES('discord:1576313403503280129','#Mail in Playground',0,'2026-11-28T19:06:41.887515+00:00','["discord:1576313403503280129", "discord:100000000000000011", "discord:category:100000000000000013", "discord:server:100000000000000001"]',NULL);
CREATE TABLE setting (
            scope TEXT NOT NULL,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            changed_by TEXT NOT NULL,
            changed_at TEXT NOT NULL,
            PRIMARY KEY (scope, name)
        );
INSERT INTO "setting" VALUES('discord:100000000000000011','system_prompt','Be kind.','100000000000000021','2026-11-28T19:06:41.385249+00:00');
INSERT INTO "setting" VALUES('discord:server:100000000000000001','style','brief','100000000000000021','2026-11-28T19:06:41.390643+00:00');
INSERT INTO "setting" VALUES('discord:category:100000000000000013','daily_tokens','200000','100000000000000021','2026-11-28T19:06:41.393263+00:00');
CREATE TABLE spent (
            scope TEXT NOT NULL,
            day TEXT NOT NULL,
            tokens BIGINT NOT NULL,
            PRIMARY KEY (scope, day)
        );
INSERT INTO "spent" VALUES('discord:100000000000000011','2026-11-28',90);
INSERT INTO "spent" VALUES('discord:category:100000000000000013','2026-11-28',248);
INSERT INTO "spent" VALUES('discord:server:100000000000000001','2026-11-28',248);
INSERT INTO "spent" VALUES('*','2026-11-28',308);
INSERT INTO "spent" VALUES('discord:100000000000000012','2026-11-28',158);
INSERT INTO "spent" VALUES('discord:1576313401934610432','2026-11-28',30);
INSERT INTO "spent" VALUES('terminal:0a1b2c3d','2026-11-28',30);
INSERT INTO "spent" VALUES('discord:1576313403503280129','2026-11-28',15);
CREATE TABLE step (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            attempt BIGINT NOT NULL,
            seq BIGINT NOT NULL,
            body TEXT NOT NULL, parts TEXT,
            PRIMARY KEY (turn_id, attempt, seq)
        );
INSERT INTO "step" VALUES('af59ef2f80ac4d34',1,1,'{"kind":"prompt","text":"What is 24*7?","source_id":"1576313401456459776","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('af59ef2f80ac4d34',1,2,'{"kind":"reply","round":0,"text":"","tool_calls":[{"id":"jqe2zvFdh","name":"calculate","arguments":"{\"expression\": \"24*7\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.0028085539997846354,"left_out":[],"history_from":0,"sent_tokens":814,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('af59ef2f80ac4d34',1,3,'{"kind":"started","round":0,"call_id":"jqe2zvFdh","at":"2026-11-28T19:06:41.406637Z"}',NULL);
INSERT INTO "step" VALUES('af59ef2f80ac4d34',1,4,'{"kind":"result","round":0,"result":{"call_id":"jqe2zvFdh","name":"calculate","content":"168","ok":true},"seconds":0.0005625360008707503}',NULL);
INSERT INTO "step" VALUES('af59ef2f80ac4d34',1,5,'{"kind":"reply","round":1,"text":"It is 168.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.002748663999227574,"left_out":[],"history_from":0,"sent_tokens":888,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('af59ef2f80ac4d34',1,6,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.015009781000117073,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('cbca95b7aea158ad',1,1,'{"kind":"prompt","text":"What is this?","source_id":"1576313401573900288","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[{"name":"cat.png","media_type":"image/png","size":24,"id":"1576313401573900289","text":null,"image":0,"note":null},{"name":"list.txt","media_type":"application/octet-stream","size":11,"id":"1576313401573900290","text":"milk, bread","image":null,"note":null}]}',NULL);
INSERT INTO "step" VALUES('cbca95b7aea158ad',1,2,'{"kind":"reply","round":0,"text":"A dog.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.0026955260000249837,"left_out":[],"history_from":0,"sent_tokens":null,"enveloped":true}',NULL);
INSERT INTO "step" VALUES('cbca95b7aea158ad',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.008066948001214769,"refused":false,"enveloped":true,"history_from":0}',NULL);
INSERT INTO "step" VALUES('cbca95b7aea158ad',2,1,'{"kind":"prompt","text":"What is this?","source_id":"1576313401573900288","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[{"name":"cat.png","media_type":"image/png","size":24,"id":"1576313401573900289","text":null,"image":0,"note":null},{"name":"list.txt","media_type":"application/octet-stream","size":11,"id":"1576313401573900290","text":"milk, bread","image":null,"note":null}]}',NULL);
INSERT INTO "step" VALUES('cbca95b7aea158ad',2,2,'{"kind":"reply","round":0,"text":"A cat, and a list.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.005158515999937663,"left_out":[],"history_from":0,"sent_tokens":null,"enveloped":true}',NULL);
INSERT INTO "step" VALUES('cbca95b7aea158ad',2,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.008932203998483601,"refused":false,"enveloped":true,"history_from":0}',NULL);
INSERT INTO "step" VALUES('b4711833ca1251ba',1,1,'{"kind":"prompt","text":"And I am Grace.","source_id":"1576313401733283840","version":0,"author":{"id":"100000000000000022","name":"Grace"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('b4711833ca1251ba',1,2,'{"kind":"reply","round":0,"text":"Hello Grace.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.0039572309997311095,"left_out":[],"history_from":0,"sent_tokens":null,"enveloped":true}',NULL);
INSERT INTO "step" VALUES('b4711833ca1251ba',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.00806776900026307,"refused":false,"enveloped":true,"history_from":0}',NULL);
INSERT INTO "step" VALUES('223539fc0ed04de9',1,1,'{"kind":"prompt","text":"This fails.","source_id":"1576313401800392704","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('223539fc0ed04de9',1,2,'{"kind":"outcome","state":"failed","notice":"The model service at 127.0.0.1 refused the request (400). It said: this is not allowed","partial":"","seconds":0.00480153600074118,"refused":true,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('aae9d31a312762ac',1,1,'{"kind":"prompt","text":"Tell me a story.","source_id":"1576313401854918656","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('aae9d31a312762ac',1,2,'{"kind":"outcome","state":"stopped","notice":"Stopped.","partial":"Once upon ","seconds":0.010973947999445954,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('cc3d501fac093061',1,1,'{"kind":"prompt","text":"Write to them.","source_id":"1576313401934610433","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('cc3d501fac093061',1,2,'{"kind":"reply","round":0,"text":"","tool_calls":[{"id":"oobYRksMC","name":"send_email","arguments":"{\"to\": \"test@example.com\", \"subject\": \"Hello\", \"body\": \"Approved\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.004078170999491704,"left_out":[],"history_from":0,"sent_tokens":816,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('cc3d501fac093061',1,3,'{"kind":"waiting","round":0,"call_id":"oobYRksMC","deadline":"2126-11-04T19:06:41.519957Z","fingerprint":"5988af49a061282b127e17f6005ec488cb5f9ec83cff1badd075d57e1e902c25","allows_always":false}',NULL);
INSERT INTO "step" VALUES('cc3d501fac093061',1,4,'{"kind":"decision","call_id":"oobYRksMC","approved":true,"decided_by":{"id":"100000000000000021","name":"Ada"},"reason":null,"always":false}',NULL);
INSERT INTO "step" VALUES('cc3d501fac093061',1,5,'{"kind":"started","round":0,"call_id":"oobYRksMC","at":"2026-11-28T19:06:41.627418Z"}',NULL);
INSERT INTO "step" VALUES('cc3d501fac093061',1,6,'{"kind":"result","round":0,"result":{"call_id":"oobYRksMC","name":"send_email","content":"Not sent, because no mail server is configured: written to data/outbox/20261128-190641-3c1b63eb.eml","ok":true},"seconds":0.0039049079987307778}',NULL);
INSERT INTO "step" VALUES('cc3d501fac093061',1,7,'{"kind":"reply","round":1,"text":"It is sent.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.004467740000109188,"left_out":[],"history_from":0,"sent_tokens":939,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('cc3d501fac093061',1,8,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.1283208500008186,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('5bfe8e3fbfd8a95d',1,1,'{"kind":"prompt","text":"What is 24*7?","source_id":"1576313401456459776","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('5bfe8e3fbfd8a95d',1,2,'{"kind":"reply","round":0,"text":"","tool_calls":[{"id":"jqe2zvFdh","name":"calculate","arguments":"{\"expression\": \"24*7\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.0028085539997846354,"left_out":[],"history_from":0,"sent_tokens":814,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('5bfe8e3fbfd8a95d',1,3,'{"kind":"started","round":0,"call_id":"jqe2zvFdh","at":"2026-11-28T19:06:41.406637Z"}',NULL);
INSERT INTO "step" VALUES('5bfe8e3fbfd8a95d',1,4,'{"kind":"result","round":0,"result":{"call_id":"jqe2zvFdh","name":"calculate","content":"168","ok":true},"seconds":0.0005625360008707503}',NULL);
INSERT INTO "step" VALUES('5bfe8e3fbfd8a95d',1,5,'{"kind":"reply","round":1,"text":"It is 168.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.002748663999227574,"left_out":[],"history_from":0,"sent_tokens":888,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('5bfe8e3fbfd8a95d',1,6,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.015009781000117073,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('0474ed7cee07400b',1,1,'{"kind":"prompt","text":"What is this?","source_id":"1576313401573900288","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[{"name":"cat.png","media_type":"image/png","size":24,"id":"1576313401573900289","text":null,"image":0,"note":null},{"name":"list.txt","media_type":"application/octet-stream","size":11,"id":"1576313401573900290","text":"milk, bread","image":null,"note":null}]}',NULL);
INSERT INTO "step" VALUES('0474ed7cee07400b',1,2,'{"kind":"reply","round":0,"text":"A cat, and a list.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.005158515999937663,"left_out":[],"history_from":0,"sent_tokens":null,"enveloped":true}',NULL);
INSERT INTO "step" VALUES('0474ed7cee07400b',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.008932203998483601,"refused":false,"enveloped":true,"history_from":0}',NULL);
INSERT INTO "step" VALUES('f011058531e2c5a3',1,1,'{"kind":"prompt","text":"And I am Grace.","source_id":"1576313401733283840","version":0,"author":{"id":"100000000000000022","name":"Grace"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('f011058531e2c5a3',1,2,'{"kind":"reply","round":0,"text":"Hello Grace.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.0039572309997311095,"left_out":[],"history_from":0,"sent_tokens":null,"enveloped":true}',NULL);
INSERT INTO "step" VALUES('f011058531e2c5a3',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.00806776900026307,"refused":false,"enveloped":true,"history_from":0}',NULL);
INSERT INTO "step" VALUES('f26eb13c36b598ed',1,1,'{"kind":"prompt","text":"Line 1","source_id":"0a1b2c3d-1","version":0,"author":{"id":"ann","name":"ann"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('f26eb13c36b598ed',1,2,'{"kind":"reply","round":0,"text":"Answer 1.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.0020964949999324745,"left_out":[],"history_from":0,"sent_tokens":813,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('f26eb13c36b598ed',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.003631026000221027,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('ba5d16f1d1a51dc7',1,1,'{"kind":"prompt","text":"Line 2","source_id":"0a1b2c3d-2","version":0,"author":{"id":"ann","name":"ann"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('ba5d16f1d1a51dc7',1,2,'{"kind":"reply","round":0,"text":"Answer 2.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.0021486530004040105,"left_out":[],"history_from":0,"sent_tokens":862,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('ba5d16f1d1a51dc7',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.0036291329997766297,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('4b69b1f4d158a51a',1,1,'{"kind":"prompt","text":"Order a pizza.","source_id":"1576313403016740864","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('4b69b1f4d158a51a',1,2,'{"kind":"reply","round":0,"text":"Let me order.","tool_calls":[{"id":"WBgyallwv","name":"order_pizza","arguments":"{\"size\": \"large\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.002632241999890539,"left_out":[],"history_from":0,"sent_tokens":901,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('4b69b1f4d158a51a',1,3,'{"kind":"started","round":0,"call_id":"WBgyallwv","at":"2026-11-28T19:06:41.779574Z"}',NULL);
INSERT INTO "step" VALUES('41b9a46a772ac475',1,1,'{"kind":"prompt","text":"Are you there?","source_id":"1576313403503280128","version":0,"author":{"id":"100000000000000022","name":"Grace"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('7f1bba6c00e360ec',1,1,'{"kind":"prompt","text":"Write to them too.","source_id":"1576313403503280131","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('7f1bba6c00e360ec',1,2,'{"kind":"reply","round":0,"text":"","tool_calls":[{"id":"3L5IRpPur","name":"send_email","arguments":"{\"to\": \"test@example.com\", \"subject\": \"Hello\", \"body\": \"Waiting\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.0024737059993640287,"left_out":[],"history_from":0,"sent_tokens":816,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('7f1bba6c00e360ec',1,3,'{"kind":"waiting","round":0,"call_id":"3L5IRpPur","deadline":"2126-11-04T19:06:41.894615Z","fingerprint":"d553dfdfea4a6e09381cfa20f53379261aa501f001726b0dacc7067f4d1e5c2a","allows_always":false}',NULL);
CREATE TABLE turn (
            id TEXT PRIMARY KEY,
            session_id TEXT NOT NULL REFERENCES session (id),
            seq BIGINT NOT NULL,
            attempt BIGINT NOT NULL,
            resumes BIGINT NOT NULL,
            state TEXT NOT NULL,
            stop_requested BIGINT NOT NULL,
            owner TEXT NOT NULL,
            source TEXT NOT NULL,
            origin TEXT NOT NULL,
            created_at TEXT NOT NULL,
            UNIQUE (session_id, seq)
        );
INSERT INTO "turn" VALUES('af59ef2f80ac4d34','discord:100000000000000011',1,1,0,'done',0,'9207151968180d5a','discord','{"channel_id": "100000000000000011", "message_id": "1576313401456459776", "cards": "normal"}','2026-11-28T19:06:41.396764+00:00');
INSERT INTO "turn" VALUES('cbca95b7aea158ad','discord:100000000000000011',2,2,0,'done',0,'9207151968180d5a','discord','{"channel_id": "100000000000000011", "message_id": "1576313401573900288", "cards": "normal"}','2026-11-28T19:06:41.425530+00:00');
INSERT INTO "turn" VALUES('b4711833ca1251ba','discord:100000000000000011',3,1,0,'done',0,'9207151968180d5a','discord','{"channel_id": "100000000000000011", "message_id": "1576313401733283840", "cards": "normal"}','2026-11-28T19:06:41.461213+00:00');
INSERT INTO "turn" VALUES('223539fc0ed04de9','discord:100000000000000012',1,1,0,'failed',0,'9207151968180d5a','discord','{"channel_id": "100000000000000012", "message_id": "1576313401800392704", "cards": "normal"}','2026-11-28T19:06:41.477833+00:00');
INSERT INTO "turn" VALUES('aae9d31a312762ac','discord:100000000000000012',2,1,0,'stopped',1,'9207151968180d5a','discord','{"channel_id": "100000000000000012", "message_id": "1576313401854918656", "cards": "normal"}','2026-11-28T19:06:41.490125+00:00');
INSERT INTO "turn" VALUES('cc3d501fac093061','discord:1576313401934610432',1,1,0,'done',0,'9207151968180d5a','discord','{"channel_id": "1576313401934610432", "message_id": "1576313401934610433", "cards": "normal"}','2026-11-28T19:06:41.510006+00:00');
INSERT INTO "turn" VALUES('5bfe8e3fbfd8a95d','discord:1576313402945437696',1,1,0,'done',0,'9207151968180d5a','branch','{"copied_from": "af59ef2f80ac4d34"}','2026-11-28T19:06:41.396764+00:00');
INSERT INTO "turn" VALUES('0474ed7cee07400b','discord:1576313402945437696',2,1,0,'done',0,'9207151968180d5a','branch','{"copied_from": "cbca95b7aea158ad"}','2026-11-28T19:06:41.425530+00:00');
INSERT INTO "turn" VALUES('f011058531e2c5a3','discord:1576313402945437696',3,1,0,'done',0,'9207151968180d5a','branch','{"copied_from": "b4711833ca1251ba"}','2026-11-28T19:06:41.461213+00:00');
INSERT INTO "turn" VALUES('f26eb13c36b598ed','terminal:0a1b2c3d',1,1,0,'done',0,'9207151968180d5a','terminal','{}','2026-11-28T19:06:41.753493+00:00');
INSERT INTO "turn" VALUES('ba5d16f1d1a51dc7','terminal:0a1b2c3d',2,1,0,'done',0,'9207151968180d5a','terminal','{}','2026-11-28T19:06:41.760542+00:00');
INSERT INTO "turn" VALUES('4b69b1f4d158a51a','discord:100000000000000012',3,1,0,'running',0,'9207151968180d5a','discord','{"channel_id": "100000000000000012", "message_id": "1576313403016740864", "cards": "normal"}','2026-11-28T19:06:41.767930+00:00');
INSERT INTO "turn" VALUES('41b9a46a772ac475','discord:100000000000000012',4,1,0,'queued',0,'9207151968180d5a','discord','{"channel_id": "100000000000000012", "message_id": "1576313403503280128", "cards": "normal"}','2026-11-28T19:06:41.886051+00:00');
INSERT INTO "turn" VALUES('7f1bba6c00e360ec','discord:1576313403503280129',1,1,0,'waiting',0,'9207151968180d5a','discord','{"channel_id": "1576313403503280129", "message_id": "1576313403503280131", "cards": "normal"}','2026-11-28T19:06:41.887515+00:00');
CREATE VIEW open_turn AS SELECT * FROM turn WHERE state IN ('queued', 'running', 'waiting');
CREATE VIEW ended_turn AS SELECT * FROM turn WHERE state IN ('done', 'failed', 'stopped');
CREATE INDEX turn_open ON turn (session_id, seq) WHERE state IN ('queued', 'running', 'waiting');
CREATE INDEX delivery_message ON delivery (message_id);
CREATE INDEX delivery_unsent ON delivery (turn_id) WHERE sent = 0;
CREATE INDEX login_at ON login (source, at);
COMMIT;
