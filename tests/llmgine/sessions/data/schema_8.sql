BEGIN TRANSACTION;
CREATE TABLE cursor_of_place (
            source TEXT NOT NULL,
            place TEXT NOT NULL,
            position BIGINT NOT NULL, kind TEXT NOT NULL DEFAULT 'unknown', parent TEXT, guild BIGINT,
            PRIMARY KEY (source, place)
        );
INSERT INTO "cursor_of_place" VALUES('discord','100000000000000011',1576502574159233023,'channel',NULL,100000000000000001);
INSERT INTO "cursor_of_place" VALUES('discord','100000000000000012',1576502576692592639,'channel',NULL,100000000000000001);
INSERT INTO "cursor_of_place" VALUES('discord','1576502577388847104',1576502577393041407,'dm',NULL,NULL);
INSERT INTO "cursor_of_place" VALUES('discord','1576502580127727616',1576502580127727617,'thread','100000000000000011',100000000000000001);
CREATE TABLE decision (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            attempt BIGINT NOT NULL,
            call_id TEXT NOT NULL,
            body TEXT NOT NULL,
            made_at BIGINT NOT NULL,
            PRIMARY KEY (turn_id, attempt, call_id)
        );
INSERT INTO "decision" VALUES('dfdcc8eb8df2d265',1,'R3y0z88jl','{"kind":"decision","call_id":"R3y0z88jl","approved":true,"decided_by":{"id":"100000000000000021","name":"Ada"},"reason":null,"always":false}',1795937904644523);
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
INSERT INTO "delivery" VALUES('d399da5db4fcede3',1,'card',0,0,'{"embed": {"color": 3908957, "fields": [{"name": "\u2705 calculate", "value": "`expression: 24*7`\n`168`\ndone \u00b7 0.0 s", "inline": false}]}, "buttons": [{"custom_id": "lg:details:d399da5db4fcede3:1:0.0", "label": "Details", "style": "secondary", "row": 2}]}','1576502574658355200',1,1);
INSERT INTO "delivery" VALUES('d399da5db4fcede3',1,'text',1,0,'{"content": "It is 168.\n-# test-model \u00b7 30 tokens \u00b7 0.1 s", "buttons": [{"custom_id": "lg:regenerate:d399da5db4fcede3:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:d399da5db4fcede3:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:d399da5db4fcede3:1", "label": "Details", "style": "secondary", "row": 3}]}','1576502574763212800',1,1);
INSERT INTO "delivery" VALUES('0d29649428a48e79',1,'text',0,0,'{"content": "A dog.\n-# test-model \u00b7 15 tokens \u00b7 0.0 s", "buttons": [{"custom_id": "lg:regenerate:0d29649428a48e79:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:0d29649428a48e79:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:0d29649428a48e79:1", "label": "Details", "style": "secondary", "row": 3}]}','1576502575304278016',1,1);
INSERT INTO "delivery" VALUES('0d29649428a48e79',2,'text',0,0,'{"content": "A cat, and a list.\n-# test-model \u00b7 15 tokens \u00b7 0.1 s", "buttons": [{"custom_id": "lg:regenerate:0d29649428a48e79:2", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:0d29649428a48e79:2", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:0d29649428a48e79:2", "label": "Details", "style": "secondary", "row": 3}]}','1576502575304278016',1,1);
INSERT INTO "delivery" VALUES('312689e7dc395c44',1,'text',0,0,'{"content": "Hello Grace.\n-# test-model \u00b7 15 tokens \u00b7 0.0 s", "buttons": [{"custom_id": "lg:regenerate:312689e7dc395c44:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:312689e7dc395c44:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:312689e7dc395c44:1", "label": "Details", "style": "secondary", "row": 3}]}','1576502576495460352',1,1);
INSERT INTO "delivery" VALUES('fff153d49d0e2c6d',1,'notice',0,0,'{"content": "\u26a0\ufe0f The model service at 127.0.0.1 refused the request (400). It said: this is not allowed\n-# 0.0 s", "buttons": [{"custom_id": "lg:retry:fff153d49d0e2c6d:1", "label": "Retry", "style": "primary", "row": 3}, {"custom_id": "lg:undo:fff153d49d0e2c6d:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:fff153d49d0e2c6d:1", "label": "Details", "style": "secondary", "row": 3}]}','1576502576860364800',1,1);
INSERT INTO "delivery" VALUES('3f40968af06b1298',1,'text',0,0,'{"content": "Once upon"}','1576502577099440128',1,1);
INSERT INTO "delivery" VALUES('3f40968af06b1298',1,'notice',0,0,'{"content": "\u23f9\ufe0f Stopped.\n-# 0.1 s", "buttons": [{"custom_id": "lg:regenerate:3f40968af06b1298:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:3f40968af06b1298:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:3f40968af06b1298:1", "label": "Details", "style": "secondary", "row": 3}]}','1576502577279795200',1,1);
INSERT INTO "delivery" VALUES('dfdcc8eb8df2d265',1,'card',0,0,'{"embed": {"color": 3908957, "fields": [{"name": "\u2705 send_email", "value": "`to: test@example.com, subject: Hello, body: Approved`\n`Not sent, because no mail server is configured: written to data/outbox/20261129-073824-f07c1f48.eml`\ndone \u00b7 0.0 s \u00b7 approved by <@100000000000000021>", "inline": false}]}, "buttons": [{"custom_id": "lg:details:dfdcc8eb8df2d265:1:0.0", "label": "Details", "style": "secondary", "row": 2}]}','1576502578068324352',1,1);
INSERT INTO "delivery" VALUES('dfdcc8eb8df2d265',1,'text',1,0,'{"content": "It is sent.\n-# test-model \u00b7 30 tokens \u00b7 0.3 s", "buttons": [{"custom_id": "lg:regenerate:dfdcc8eb8df2d265:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:dfdcc8eb8df2d265:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:dfdcc8eb8df2d265:1", "label": "Details", "style": "secondary", "row": 3}]}','1576502578714247168',1,1);
INSERT INTO "delivery" VALUES('abc96bc2dc170fd4',1,'text',0,0,'{}','1576502579695714304',0,0);
INSERT INTO "delivery" VALUES('abc96bc2dc170fd4',1,'card',0,0,'{}','1576502580119339008',0,0);
INSERT INTO "delivery" VALUES('d238dae279491ba3',1,'card',0,0,'{}','1576502580903673856',0,0);
CREATE TABLE image (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            number BIGINT NOT NULL,
            data TEXT NOT NULL,
            PRIMARY KEY (turn_id, number)
        );
INSERT INTO "image" VALUES('0d29649428a48e79',0,'data:image/png;base64,iVBORw0KGgoAAAAAAAAAAAAAAAAAAAAA');
INSERT INTO "image" VALUES('9ef3143e4371f075',0,'data:image/png;base64,iVBORw0KGgoAAAAAAAAAAAAAAAAAAAAA');
CREATE TABLE "inbox" (
            source TEXT NOT NULL,
            source_id TEXT NOT NULL,
            turn_id TEXT NOT NULL REFERENCES turn (id) DEFERRABLE INITIALLY DEFERRED,
            PRIMARY KEY (source, source_id)
        );
INSERT INTO "inbox" VALUES('discord','1576502574159233024','d399da5db4fcede3');
INSERT INTO "inbox" VALUES('discord','1576502574905819136','0d29649428a48e79');
INSERT INTO "inbox" VALUES('discord','1576502576155721728','312689e7dc395c44');
INSERT INTO "inbox" VALUES('discord','1576502576692592640','fff153d49d0e2c6d');
INSERT INTO "inbox" VALUES('discord','1576502576952639488','3f40968af06b1298');
INSERT INTO "inbox" VALUES('discord','1576502577393041408','dfdcc8eb8df2d265');
INSERT INTO "inbox" VALUES('terminal','0a1b2c3d-1','5191521840558d54');
INSERT INTO "inbox" VALUES('terminal','0a1b2c3d-2','7183f3b18e29b380');
INSERT INTO "inbox" VALUES('discord','1576502579368558592','abc96bc2dc170fd4');
INSERT INTO "inbox" VALUES('discord','1576502580123533312','480ecdc4dd17bf91');
INSERT INTO "inbox" VALUES('discord','1576502580127727618','d238dae279491ba3');
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
INSERT INTO "login" VALUES('discord',1795937903);
CREATE TABLE schema_version (version BIGINT NOT NULL);
INSERT INTO "schema_version" VALUES(8);
CREATE TABLE session (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            cleared_seq BIGINT NOT NULL,
            scopes TEXT NOT NULL DEFAULT '[]', title TEXT, next_seq BIGINT NOT NULL DEFAULT 1, updated_at BIGINT NOT NULL DEFAULT 0);
INSERT INTO "session" VALUES('discord:100000000000000011','#general in Playground',0,'["discord:100000000000000011", "discord:category:100000000000000013", "discord:server:100000000000000001"]',NULL,4,1795937904164231);
INSERT INTO "session" VALUES('discord:100000000000000012','#random in Playground',0,'["discord:100000000000000012", "discord:category:100000000000000013", "discord:server:100000000000000001"]',NULL,5,1795937905119569);
INSERT INTO "session" VALUES('discord:1576502577388847104','DM with Ada',0,'["discord:1576502577388847104"]',NULL,2,1795937904463691);
INSERT INTO "session" VALUES('discord:1576502578856853504','#On from general in Playground',0,'["discord:1576502578856853504", "discord:100000000000000011", "discord:category:100000000000000013", "discord:server:100000000000000001"]',NULL,4,1795937904808496);
INSERT INTO "session" VALUES('terminal:0a1b2c3d','Terminal',0,'[]',NULL,3,1795937904879521);
INSERT INTO "session" VALUES('discord:1576502580127727616','#Mail in Playground',0,'["discord:1576502580127727616", "discord:100000000000000011", "discord:category:100000000000000013", "discord:server:100000000000000001"]',NULL,2,1795937905147778);
CREATE TABLE setting (
            scope TEXT NOT NULL,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            changed_by TEXT NOT NULL,
            changed_at BIGINT NOT NULL DEFAULT 0,
            PRIMARY KEY (scope, name)
        );
INSERT INTO "setting" VALUES('discord:100000000000000011','system_prompt','Be kind.','100000000000000021',1795937903645553);
INSERT INTO "setting" VALUES('discord:server:100000000000000001','style','brief','100000000000000021',1795937903670369);
INSERT INTO "setting" VALUES('discord:category:100000000000000013','daily_tokens','200000','100000000000000021',1795937903678436);
CREATE TABLE spent (
            scope TEXT NOT NULL,
            day BIGINT NOT NULL,
            tokens BIGINT NOT NULL,
            PRIMARY KEY (scope, day)
        );
INSERT INTO "spent" VALUES('*',20786,308);
INSERT INTO "spent" VALUES('discord:100000000000000011',20786,90);
INSERT INTO "spent" VALUES('discord:category:100000000000000013',20786,248);
INSERT INTO "spent" VALUES('discord:server:100000000000000001',20786,248);
INSERT INTO "spent" VALUES('discord:100000000000000012',20786,158);
INSERT INTO "spent" VALUES('discord:1576502577388847104',20786,30);
INSERT INTO "spent" VALUES('terminal:0a1b2c3d',20786,30);
INSERT INTO "spent" VALUES('discord:1576502580127727616',20786,15);
CREATE TABLE step (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            attempt BIGINT NOT NULL,
            seq BIGINT NOT NULL,
            body TEXT NOT NULL, parts TEXT,
            PRIMARY KEY (turn_id, attempt, seq)
        );
INSERT INTO "step" VALUES('d399da5db4fcede3',1,1,'{"kind":"prompt","text":"What is 24*7?","source_id":"1576502574159233024","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('d399da5db4fcede3',1,2,'{"kind":"reply","round":0,"text":"","tool_calls":[{"id":"SzkB59DE1","name":"calculate","arguments":"{\"expression\": \"24*7\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.009646939000049315,"left_out":[],"history_from":0,"sent_tokens":814,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('d399da5db4fcede3',1,3,'{"kind":"started","round":0,"call_id":"SzkB59DE1","at":"2026-11-29T07:38:23.728093Z"}',NULL);
INSERT INTO "step" VALUES('d399da5db4fcede3',1,4,'{"kind":"result","round":0,"result":{"call_id":"SzkB59DE1","name":"calculate","content":"168","ok":true},"seconds":0.004630183000017496}',NULL);
INSERT INTO "step" VALUES('d399da5db4fcede3',1,5,'{"kind":"reply","round":1,"text":"It is 168.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.028447343000038927,"left_out":[],"history_from":0,"sent_tokens":888,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('d399da5db4fcede3',1,6,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.07108977300003971,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('0d29649428a48e79',1,1,'{"kind":"prompt","text":"What is this?","source_id":"1576502574905819136","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[{"name":"cat.png","media_type":"image/png","size":24,"id":"1576502574905819137","text":null,"image":0,"note":null},{"name":"list.txt","media_type":"application/octet-stream","size":11,"id":"1576502574905819138","text":"milk, bread","image":null,"note":null}]}',NULL);
INSERT INTO "step" VALUES('0d29649428a48e79',1,2,'{"kind":"reply","round":0,"text":"A dog.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.042781330000025264,"left_out":[],"history_from":0,"sent_tokens":null,"enveloped":true}',NULL);
INSERT INTO "step" VALUES('0d29649428a48e79',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.04691974999991544,"refused":false,"enveloped":true,"history_from":0}',NULL);
INSERT INTO "step" VALUES('0d29649428a48e79',2,1,'{"kind":"prompt","text":"What is this?","source_id":"1576502574905819136","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[{"name":"cat.png","media_type":"image/png","size":24,"id":"1576502574905819137","text":null,"image":0,"note":null},{"name":"list.txt","media_type":"application/octet-stream","size":11,"id":"1576502574905819138","text":"milk, bread","image":null,"note":null}]}',NULL);
INSERT INTO "step" VALUES('0d29649428a48e79',2,2,'{"kind":"reply","round":0,"text":"A cat, and a list.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.058226701999956276,"left_out":[],"history_from":0,"sent_tokens":null,"enveloped":true}',NULL);
INSERT INTO "step" VALUES('0d29649428a48e79',2,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.06019464300004529,"refused":false,"enveloped":true,"history_from":0}',NULL);
INSERT INTO "step" VALUES('312689e7dc395c44',1,1,'{"kind":"prompt","text":"And I am Grace.","source_id":"1576502576155721728","version":0,"author":{"id":"100000000000000022","name":"Grace"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('312689e7dc395c44',1,2,'{"kind":"reply","round":0,"text":"Hello Grace.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.04435332900004596,"left_out":[],"history_from":0,"sent_tokens":null,"enveloped":true}',NULL);
INSERT INTO "step" VALUES('312689e7dc395c44',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.047289513999999144,"refused":false,"enveloped":true,"history_from":0}',NULL);
INSERT INTO "step" VALUES('fff153d49d0e2c6d',1,1,'{"kind":"prompt","text":"This fails.","source_id":"1576502576692592640","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('fff153d49d0e2c6d',1,2,'{"kind":"outcome","state":"failed","notice":"The model service at 127.0.0.1 refused the request (400). It said: this is not allowed","partial":"","seconds":0.007665653999993083,"refused":true,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('3f40968af06b1298',1,1,'{"kind":"prompt","text":"Tell me a story.","source_id":"1576502576952639488","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('3f40968af06b1298',1,2,'{"kind":"outcome","state":"stopped","notice":"Stopped.","partial":"Once upon ","seconds":0.06019975300000624,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('dfdcc8eb8df2d265',1,1,'{"kind":"prompt","text":"Write to them.","source_id":"1576502577393041408","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('dfdcc8eb8df2d265',1,2,'{"kind":"reply","round":0,"text":"","tool_calls":[{"id":"R3y0z88jl","name":"send_email","arguments":"{\"to\": \"test@example.com\", \"subject\": \"Hello\", \"body\": \"Approved\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.03365557899996929,"left_out":[],"history_from":0,"sent_tokens":816,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('dfdcc8eb8df2d265',1,3,'{"kind":"waiting","round":0,"call_id":"R3y0z88jl","deadline":"2126-11-05T07:38:24.507772Z","fingerprint":"5988af49a061282b127e17f6005ec488cb5f9ec83cff1badd075d57e1e902c25","allows_always":false}',NULL);
INSERT INTO "step" VALUES('dfdcc8eb8df2d265',1,4,'{"kind":"decision","call_id":"R3y0z88jl","approved":true,"decided_by":{"id":"100000000000000021","name":"Ada"},"reason":null,"always":false}',NULL);
INSERT INTO "step" VALUES('dfdcc8eb8df2d265',1,5,'{"kind":"started","round":0,"call_id":"R3y0z88jl","at":"2026-11-29T07:38:24.656901Z"}',NULL);
INSERT INTO "step" VALUES('dfdcc8eb8df2d265',1,6,'{"kind":"result","round":0,"result":{"call_id":"R3y0z88jl","name":"send_email","content":"Not sent, because no mail server is configured: written to data/outbox/20261129-073824-f07c1f48.eml","ok":true},"seconds":0.028610247999949934}',NULL);
INSERT INTO "step" VALUES('dfdcc8eb8df2d265',1,7,'{"kind":"reply","round":1,"text":"It is sent.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.03383356200004073,"left_out":[],"history_from":0,"sent_tokens":939,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('dfdcc8eb8df2d265',1,8,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.27880967599992346,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('16d87332f1bacd4c',1,1,'{"kind":"prompt","text":"What is 24*7?","source_id":"1576502574159233024","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('16d87332f1bacd4c',1,2,'{"kind":"reply","round":0,"text":"","tool_calls":[{"id":"SzkB59DE1","name":"calculate","arguments":"{\"expression\": \"24*7\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.009646939000049315,"left_out":[],"history_from":0,"sent_tokens":814,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('16d87332f1bacd4c',1,3,'{"kind":"started","round":0,"call_id":"SzkB59DE1","at":"2026-11-29T07:38:23.728093Z"}',NULL);
INSERT INTO "step" VALUES('16d87332f1bacd4c',1,4,'{"kind":"result","round":0,"result":{"call_id":"SzkB59DE1","name":"calculate","content":"168","ok":true},"seconds":0.004630183000017496}',NULL);
INSERT INTO "step" VALUES('16d87332f1bacd4c',1,5,'{"kind":"reply","round":1,"text":"It is 168.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.028447343000038927,"left_out":[],"history_from":0,"sent_tokens":888,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('16d87332f1bacd4c',1,6,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.07108977300003971,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('9ef3143e4371f075',1,1,'{"kind":"prompt","text":"What is this?","source_id":"1576502574905819136","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[{"name":"cat.png","media_type":"image/png","size":24,"id":"1576502574905819137","text":null,"image":0,"note":null},{"name":"list.txt","media_type":"application/octet-stream","size":11,"id":"1576502574905819138","text":"milk, bread","image":null,"note":null}]}',NULL);
INSERT INTO "step" VALUES('9ef3143e4371f075',1,2,'{"kind":"reply","round":0,"text":"A cat, and a list.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.058226701999956276,"left_out":[],"history_from":0,"sent_tokens":null,"enveloped":true}',NULL);
INSERT INTO "step" VALUES('9ef3143e4371f075',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.06019464300004529,"refused":false,"enveloped":true,"history_from":0}',NULL);
INSERT INTO "step" VALUES('aff8d5bd28e50f21',1,1,'{"kind":"prompt","text":"And I am Grace.","source_id":"1576502576155721728","version":0,"author":{"id":"100000000000000022","name":"Grace"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('aff8d5bd28e50f21',1,2,'{"kind":"reply","round":0,"text":"Hello Grace.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.04435332900004596,"left_out":[],"history_from":0,"sent_tokens":null,"enveloped":true}',NULL);
INSERT INTO "step" VALUES('aff8d5bd28e50f21',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.047289513999999144,"refused":false,"enveloped":true,"history_from":0}',NULL);
INSERT INTO "step" VALUES('5191521840558d54',1,1,'{"kind":"prompt","text":"Line 1","source_id":"0a1b2c3d-1","version":0,"author":{"id":"ann","name":"ann"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('5191521840558d54',1,2,'{"kind":"reply","round":0,"text":"Answer 1.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.020576915000106055,"left_out":[],"history_from":0,"sent_tokens":813,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('5191521840558d54',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.021544909999988704,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('7183f3b18e29b380',1,1,'{"kind":"prompt","text":"Line 2","source_id":"0a1b2c3d-2","version":0,"author":{"id":"ann","name":"ann"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('7183f3b18e29b380',1,2,'{"kind":"reply","round":0,"text":"Answer 2.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.01413498499994148,"left_out":[],"history_from":0,"sent_tokens":862,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('7183f3b18e29b380',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.014995749000036085,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('abc96bc2dc170fd4',1,1,'{"kind":"prompt","text":"Order a pizza.","source_id":"1576502579368558592","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('abc96bc2dc170fd4',1,2,'{"kind":"reply","round":0,"text":"Let me order.","tool_calls":[{"id":"E7eNqCr1w","name":"order_pizza","arguments":"{\"size\": \"large\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.024841441000035047,"left_out":[],"history_from":0,"sent_tokens":901,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('abc96bc2dc170fd4',1,3,'{"kind":"started","round":0,"call_id":"E7eNqCr1w","at":"2026-11-29T07:38:24.999876Z"}',NULL);
INSERT INTO "step" VALUES('480ecdc4dd17bf91',1,1,'{"kind":"prompt","text":"Are you there?","source_id":"1576502580123533312","version":0,"author":{"id":"100000000000000022","name":"Grace"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('d238dae279491ba3',1,1,'{"kind":"prompt","text":"Write to them too.","source_id":"1576502580127727618","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}',NULL);
INSERT INTO "step" VALUES('d238dae279491ba3',1,2,'{"kind":"reply","round":0,"text":"","tool_calls":[{"id":"jgEnLAIXB","name":"send_email","arguments":"{\"to\": \"test@example.com\", \"subject\": \"Hello\", \"body\": \"Waiting\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.014715764000015952,"left_out":[],"history_from":0,"sent_tokens":816,"enveloped":false}',NULL);
INSERT INTO "step" VALUES('d238dae279491ba3',1,3,'{"kind":"waiting","round":0,"call_id":"jgEnLAIXB","deadline":"2126-11-05T07:38:25.187458Z","fingerprint":"d553dfdfea4a6e09381cfa20f53379261aa501f001726b0dacc7067f4d1e5c2a","allows_always":false}',NULL);
CREATE TABLE stop_request (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            attempt BIGINT NOT NULL,
            PRIMARY KEY (turn_id, attempt)
        );
INSERT INTO "stop_request" VALUES('3f40968af06b1298',1);
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
INSERT INTO "turn" VALUES('d399da5db4fcede3','discord:100000000000000011',1,1,0,'done','32269ad5f9871c23','discord','{"channel_id": "100000000000000011", "message_id": "1576502574159233024", "cards": "normal", "kind": "channel", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',1,'100000000000000011',100000000000000001,NULL,2,1795937903691386);
INSERT INTO "turn" VALUES('0d29649428a48e79','discord:100000000000000011',2,2,0,'done','32269ad5f9871c23','discord','{"channel_id": "100000000000000011", "message_id": "1576502574905819136", "cards": "normal", "kind": "channel", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',3,'100000000000000011',100000000000000001,NULL,1,1795937903883212);
INSERT INTO "turn" VALUES('312689e7dc395c44','discord:100000000000000011',3,1,0,'done','32269ad5f9871c23','discord','{"channel_id": "100000000000000011", "message_id": "1576502576155721728", "cards": "normal", "kind": "channel", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',1,'100000000000000011',100000000000000001,NULL,1,1795937904164231);
INSERT INTO "turn" VALUES('fff153d49d0e2c6d','discord:100000000000000012',1,1,0,'failed','32269ad5f9871c23','discord','{"channel_id": "100000000000000012", "message_id": "1576502576692592640", "cards": "normal", "kind": "channel", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',1,'100000000000000012',100000000000000001,NULL,1,1795937904299559);
INSERT INTO "turn" VALUES('3f40968af06b1298','discord:100000000000000012',2,1,0,'stopped','32269ad5f9871c23','discord','{"channel_id": "100000000000000012", "message_id": "1576502576952639488", "cards": "normal", "kind": "channel", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',1,'100000000000000012',100000000000000001,NULL,2,1795937904349086);
INSERT INTO "turn" VALUES('dfdcc8eb8df2d265','discord:1576502577388847104',1,1,0,'done','32269ad5f9871c23','discord','{"channel_id": "1576502577388847104", "message_id": "1576502577393041408", "cards": "normal", "kind": "dm"}',1,'1576502577388847104',NULL,NULL,2,1795937904463691);
INSERT INTO "turn" VALUES('16d87332f1bacd4c','discord:1576502578856853504',1,1,0,'done','32269ad5f9871c23','branch','{}',0,NULL,NULL,'d399da5db4fcede3',0,1795937903691386);
INSERT INTO "turn" VALUES('9ef3143e4371f075','discord:1576502578856853504',2,1,0,'done','32269ad5f9871c23','branch','{}',0,NULL,NULL,'0d29649428a48e79',0,1795937903883212);
INSERT INTO "turn" VALUES('aff8d5bd28e50f21','discord:1576502578856853504',3,1,0,'done','32269ad5f9871c23','branch','{}',0,NULL,NULL,'312689e7dc395c44',0,1795937904164231);
INSERT INTO "turn" VALUES('5191521840558d54','terminal:0a1b2c3d',1,1,0,'done','32269ad5f9871c23','terminal','{}',1,NULL,NULL,NULL,0,1795937904823890);
INSERT INTO "turn" VALUES('7183f3b18e29b380','terminal:0a1b2c3d',2,1,0,'done','32269ad5f9871c23','terminal','{}',1,NULL,NULL,NULL,0,1795937904879521);
INSERT INTO "turn" VALUES('abc96bc2dc170fd4','discord:100000000000000012',3,1,0,'running','32269ad5f9871c23','discord','{"channel_id": "100000000000000012", "message_id": "1576502579368558592", "cards": "normal", "kind": "channel", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',1,'100000000000000012',100000000000000001,NULL,2,1795937904935781);
INSERT INTO "turn" VALUES('480ecdc4dd17bf91','discord:100000000000000012',4,1,0,'queued','32269ad5f9871c23','discord','{"channel_id": "100000000000000012", "message_id": "1576502580123533312", "cards": "normal", "kind": "channel", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',0,'100000000000000012',100000000000000001,NULL,0,1795937905119569);
INSERT INTO "turn" VALUES('d238dae279491ba3','discord:1576502580127727616',1,1,0,'waiting','32269ad5f9871c23','discord','{"channel_id": "1576502580127727616", "message_id": "1576502580127727618", "cards": "normal", "kind": "thread", "parent_id": "100000000000000011", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',1,'1576502580127727616',100000000000000001,NULL,1,1795937905147778);
CREATE INDEX delivery_message ON delivery (message_id);
CREATE INDEX delivery_unsent ON delivery (turn_id) WHERE sent = 0;
CREATE INDEX login_at ON login (source, at);
CREATE UNIQUE INDEX one_running ON turn (session_id) WHERE state IN ('running', 'waiting');
CREATE INDEX turn_open ON turn (session_id, seq) WHERE state IN ('queued', 'running', 'waiting');
CREATE INDEX turn_copies ON turn (copied_from) WHERE copied_from IS NOT NULL;
CREATE VIEW open_turn AS SELECT * FROM turn WHERE state IN ('queued', 'running', 'waiting');
CREATE VIEW ended_turn AS SELECT * FROM turn WHERE state IN ('done', 'failed', 'stopped');
CREATE INDEX cursor_newest ON cursor_of_place (source, position);
CREATE INDEX cursor_guild ON cursor_of_place (source, guild, position);
CREATE INDEX turn_guild ON turn (source, guild, created_at);
CREATE INDEX turn_place ON turn (source, place, created_at);
CREATE INDEX inbox_turn ON inbox (turn_id);
COMMIT;
