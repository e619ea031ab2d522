BEGIN TRANSACTION;
CREATE TABLE cursor_of_place (
            source TEXT NOT NULL,
            place TEXT NOT NULL,
            position BIGINT NOT NULL, kind TEXT NOT NULL DEFAULT 'unknown', parent TEXT, guild BIGINT,
            PRIMARY KEY (source, place)
        );
INSERT INTO "cursor_of_place" VALUES('discord','100000000000000011',1576729023776555007,'channel',NULL,100000000000000001);
INSERT INTO "cursor_of_place" VALUES('discord','100000000000000012',1576729024774799359,'channel',NULL,100000000000000001);
INSERT INTO "cursor_of_place" VALUES('discord','1576729025047429120',1576729025047429120,'dm',NULL,NULL);
INSERT INTO "cursor_of_place" VALUES('discord','1576729026553184257',1576729026553184258,'thread','100000000000000011',100000000000000001);
CREATE TABLE decision (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            attempt BIGINT NOT NULL,
            call_id TEXT NOT NULL,
            body TEXT NOT NULL,
            made_at BIGINT NOT NULL,
            PRIMARY KEY (turn_id, attempt, call_id)
        );
INSERT INTO "decision" VALUES('f0505af15a257fac',1,'8aslzHhhC','{"kind":"decision","call_id":"8aslzHhhC","approved":true,"decided_by":{"id":"100000000000000021","name":"Ada"},"reason":null,"always":false}',1795991893923639);
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
INSERT INTO "delivery" VALUES('9867889e61997bf6',1,'card',0,0,'{"embed": {"color": 3908957, "fields": [], "description": "\u2705 **calculate** `24*7` \u2192 `168`"}, "buttons": []}','1576729024053379072',1,1);
INSERT INTO "delivery" VALUES('9867889e61997bf6',1,'text',1,0,'{"content": "It is 168.\n-# test-model \u00b7 30 tokens \u00b7 0.0 s", "buttons": [{"custom_id": "lg:regenerate:9867889e61997bf6:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:9867889e61997bf6:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:9867889e61997bf6:1", "label": "Details", "style": "secondary", "row": 3}]}','1576729024091127808',1,1);
INSERT INTO "delivery" VALUES('ffa2dc93728e79dc',1,'text',0,0,'{"content": "A dog.\n-# test-model \u00b7 15 tokens \u00b7 0.0 s", "buttons": [{"custom_id": "lg:regenerate:ffa2dc93728e79dc:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:ffa2dc93728e79dc:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:ffa2dc93728e79dc:1", "label": "Details", "style": "secondary", "row": 3}]}','1576729024292454400',1,1);
INSERT INTO "delivery" VALUES('ffa2dc93728e79dc',2,'text',0,0,'{"content": "A cat, and a list.\n-# test-model \u00b7 15 tokens \u00b7 0.0 s", "buttons": [{"custom_id": "lg:regenerate:ffa2dc93728e79dc:2", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:ffa2dc93728e79dc:2", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:ffa2dc93728e79dc:2", "label": "Details", "style": "secondary", "row": 3}]}','1576729024292454400',1,1);
INSERT INTO "delivery" VALUES('651a5be257374442',1,'text',0,0,'{"content": "Hello Grace.\n-# test-model \u00b7 15 tokens \u00b7 0.0 s", "buttons": [{"custom_id": "lg:regenerate:651a5be257374442:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:651a5be257374442:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:651a5be257374442:1", "label": "Details", "style": "secondary", "row": 3}]}','1576729024745439232',1,1);
INSERT INTO "delivery" VALUES('acabeaae914aa339',1,'notice',0,0,'{"content": "\u26a0\ufe0f The model service at 127.0.0.1 refused the request (400). It said: this is not allowed\n-# 0.0 s", "buttons": [{"custom_id": "lg:retry:acabeaae914aa339:1", "label": "Retry", "style": "primary", "row": 3}, {"custom_id": "lg:undo:acabeaae914aa339:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:acabeaae914aa339:1", "label": "Details", "style": "secondary", "row": 3}]}','1576729024837713920',1,1);
INSERT INTO "delivery" VALUES('d1b31b80ec6d5511',1,'text',0,0,'{"content": "Once upon"}','1576729024946765824',1,1);
INSERT INTO "delivery" VALUES('d1b31b80ec6d5511',1,'notice',0,0,'{"content": "\u23f9\ufe0f Stopped.\n-# 0.0 s", "buttons": [{"custom_id": "lg:regenerate:d1b31b80ec6d5511:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:d1b31b80ec6d5511:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:d1b31b80ec6d5511:1", "label": "Details", "style": "secondary", "row": 3}]}','1576729025013874688',1,1);
INSERT INTO "delivery" VALUES('f0505af15a257fac',1,'card',0,0,'{"embed": {"color": 3908957, "fields": [], "description": "\u26a0\ufe0f **send\\_email** `to: test@example.com, subject: Hello, body: Approved` \u2192 `Not sent, because no mail server is configured: written to data/outbox/20261129-223813-ec486e9e.eml` \u00b7 approved by <@100000000000000021>"}, "buttons": []}','1576729025575911424',1,1);
INSERT INTO "delivery" VALUES('f0505af15a257fac',1,'text',1,0,'{"content": "It is sent.\n-# test-model \u00b7 30 tokens \u00b7 0.2 s", "buttons": [{"custom_id": "lg:regenerate:f0505af15a257fac:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:f0505af15a257fac:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:f0505af15a257fac:1", "label": "Details", "style": "secondary", "row": 3}]}','1576729025785626624',1,1);
INSERT INTO "delivery" VALUES('66f3b226722a3204',1,'text',0,0,'{}','1576729026137948160',0,0);
INSERT INTO "delivery" VALUES('66f3b226722a3204',1,'card',0,0,'{}','1576729026548989952',0,0);
INSERT INTO "delivery" VALUES('513f3ac51effcb38',1,'card',0,0,'{}','1576729027085860864',0,0);
CREATE TABLE image (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            number BIGINT NOT NULL,
            data TEXT NOT NULL,
            PRIMARY KEY (turn_id, number)
        );
INSERT INTO "image" VALUES('ffa2dc93728e79dc',0,'data:image/png;base64,iVBORw0KGgoAAAAAAAAAAAAAAAAAAAAA');
INSERT INTO "image" VALUES('d0d5fef1aed2ba62',0,'data:image/png;base64,iVBORw0KGgoAAAAAAAAAAAAAAAAAAAAA');
CREATE TABLE "inbox" (
            source TEXT NOT NULL,
            source_id TEXT NOT NULL,
            turn_id TEXT NOT NULL REFERENCES turn (id) DEFERRABLE INITIALLY DEFERRED,
            PRIMARY KEY (source, source_id)
        );
INSERT INTO "inbox" VALUES('discord','1576729023776555008','9867889e61997bf6');
INSERT INTO "inbox" VALUES('discord','1576729024145653760','ffa2dc93728e79dc');
INSERT INTO "inbox" VALUES('discord','1576729024644775936','651a5be257374442');
INSERT INTO "inbox" VALUES('discord','1576729024774799360','acabeaae914aa339');
INSERT INTO "inbox" VALUES('discord','1576729024862879744','d1b31b80ec6d5511');
INSERT INTO "inbox" VALUES('discord','1576729025047429121','f0505af15a257fac');
INSERT INTO "inbox" VALUES('terminal','0a1b2c3d-1','db3a7cfaa265d54b');
INSERT INTO "inbox" VALUES('terminal','0a1b2c3d-2','be8767b6bebae56a');
INSERT INTO "inbox" VALUES('discord','1576729026037284864','66f3b226722a3204');
INSERT INTO "inbox" VALUES('discord','1576729026553184256','dc8f34cb6a376aae');
INSERT INTO "inbox" VALUES('discord','1576729026553184259','513f3ac51effcb38');
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
INSERT INTO "login" VALUES('discord',1795991893);
CREATE TABLE schema_version (version BIGINT NOT NULL);
INSERT INTO "schema_version" VALUES(9);
CREATE TABLE session (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            cleared_seq BIGINT NOT NULL,
            scopes TEXT NOT NULL DEFAULT '[]', title TEXT, next_seq BIGINT NOT NULL DEFAULT 1, updated_at BIGINT NOT NULL DEFAULT 0, listed_under TEXT NOT NULL DEFAULT '');
INSERT INTO "session" VALUES('discord:100000000000000011','#general in Playground',0,'["discord:100000000000000011", "discord:category:100000000000000013", "discord:server:100000000000000001"]',NULL,4,1795991893686174,'discord:server:100000000000000001');
INSERT INTO "session" VALUES('discord:100000000000000012','#random in Playground',0,'["discord:100000000000000012", "discord:category:100000000000000013", "discord:server:100000000000000001"]',NULL,5,1795991894141609,'discord:server:100000000000000001');
INSERT INTO "session" VALUES('discord:1576729025047429120','DM with Ada',0,'["discord:1576729025047429120"]',NULL,2,1795991893788114,'discord:1576729025047429120');
INSERT INTO "session" VALUES('discord:1576729025861124096','#Continued from #general in Playground',0,'["discord:1576729025861124096", "discord:100000000000000011", "discord:category:100000000000000013", "discord:server:100000000000000001"]',NULL,4,1795991893979720,'discord:server:100000000000000001');
INSERT INTO "session" VALUES('terminal:0a1b2c3d','Terminal',0,'[]',NULL,3,1795991894004199,'terminal:0a1b2c3d');
INSERT INTO "session" VALUES('discord:1576729026553184257','#Mail in Playground',0,'["discord:1576729026553184257", "discord:100000000000000011", "discord:category:100000000000000013", "discord:server:100000000000000001"]',NULL,2,1795991894151344,'discord:server:100000000000000001');
CREATE TABLE setting (
            scope TEXT NOT NULL,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            changed_by TEXT NOT NULL,
            changed_at BIGINT NOT NULL DEFAULT 0,
            PRIMARY KEY (scope, name)
        );
INSERT INTO "setting" VALUES('discord:person:100000000000000021','locale','en-US','',1795991893447548);
INSERT INTO "setting" VALUES('discord:100000000000000011','system_prompt','Be kind.','100000000000000021',1795991893452067);
INSERT INTO "setting" VALUES('discord:server:100000000000000001','style','brief','100000000000000021',1795991893467983);
INSERT INTO "setting" VALUES('discord:category:100000000000000013','daily_tokens','200000','100000000000000021',1795991893476552);
CREATE TABLE spent (
            scope TEXT NOT NULL,
            day BIGINT NOT NULL,
            tokens BIGINT NOT NULL,
            PRIMARY KEY (scope, day)
        );
INSERT INTO "spent" VALUES('*',20786,334);
INSERT INTO "spent" VALUES('discord:100000000000000011',20786,90);
INSERT INTO "spent" VALUES('discord:category:100000000000000013',20786,274);
INSERT INTO "spent" VALUES('discord:server:100000000000000001',20786,274);
INSERT INTO "spent" VALUES('discord:100000000000000012',20786,184);
INSERT INTO "spent" VALUES('discord:1576729025047429120',20786,30);
INSERT INTO "spent" VALUES('terminal:0a1b2c3d',20786,30);
INSERT INTO "spent" VALUES('discord:1576729026553184257',20786,15);
CREATE TABLE step (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            attempt BIGINT NOT NULL,
            seq BIGINT NOT NULL,
            body TEXT NOT NULL, parts TEXT,
            PRIMARY KEY (turn_id, attempt, seq)
        );
INSERT INTO "step" VALUES('9867889e61997bf6',1,1,'{"kind":"prompt","text":"What is 24*7?","source_id":"1576729023776555008","version":0,"author":{"id":"100000000000000021","name":"Ada"},"mentions":{},"quoted":null,"attachments":[],"redacted":false}',NULL);
INSERT INTO "step" VALUES('9867889e61997bf6',1,2,'{"kind":"reply","round":0,"text":"","tool_calls":[{"id":"YZdY9PbzD","name":"calculate","arguments":"{\"expression\": \"24*7\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.005250026000794605,"left_out":[],"history_from":0,"sent_tokens":856,"enveloped":false,"outside":false}',NULL);
INSERT INTO "step" VALUES('9867889e61997bf6',1,3,'{"kind":"started","round":0,"call_id":"YZdY9PbzD","at":"2026-11-29T22:38:13.512489Z"}',NULL);
INSERT INTO "step" VALUES('9867889e61997bf6',1,4,'{"kind":"result","round":0,"result":{"call_id":"YZdY9PbzD","name":"calculate","content":"168","ok":true,"done":true,"shown":null,"outside":false},"seconds":0.0030816109992883867}',NULL);
INSERT INTO "step" VALUES('9867889e61997bf6',1,5,'{"kind":"reply","round":1,"text":"It is 168.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.006194498000695603,"left_out":[],"history_from":0,"sent_tokens":930,"enveloped":false,"outside":false}',NULL);
INSERT INTO "step" VALUES('9867889e61997bf6',1,6,'{"kind":"outcome","state":"done","notice":null,"notice_text":null,"partial":"","seconds":0.0310700120007823,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('ffa2dc93728e79dc',1,1,'{"kind":"prompt","text":"What is this?","source_id":"1576729024145653760","version":0,"author":{"id":"100000000000000021","name":"Ada"},"mentions":{},"quoted":null,"attachments":[{"name":"cat.png","media_type":"image/png","size":24,"id":"1576729024145653761","text":null,"image":0,"note":null,"note_text":null},{"name":"list.txt","media_type":"application/octet-stream","size":11,"id":"1576729024145653762","text":"milk, bread","image":null,"note":null,"note_text":null}],"redacted":false}',NULL);
INSERT INTO "step" VALUES('ffa2dc93728e79dc',1,2,'{"kind":"reply","round":0,"text":"A dog.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.011915581999346614,"left_out":[],"history_from":0,"sent_tokens":null,"enveloped":true,"outside":true}',NULL);
INSERT INTO "step" VALUES('ffa2dc93728e79dc',1,3,'{"kind":"outcome","state":"done","notice":null,"notice_text":null,"partial":"","seconds":0.013540992998969159,"refused":false,"enveloped":true,"history_from":0}',NULL);
INSERT INTO "step" VALUES('ffa2dc93728e79dc',2,1,'{"kind":"prompt","text":"What is this?","source_id":"1576729024145653760","version":0,"author":{"id":"100000000000000021","name":"Ada"},"mentions":{},"quoted":null,"attachments":[{"name":"cat.png","media_type":"image/png","size":24,"id":"1576729024145653761","text":null,"image":0,"note":null,"note_text":null},{"name":"list.txt","media_type":"application/octet-stream","size":11,"id":"1576729024145653762","text":"milk, bread","image":null,"note":null,"note_text":null}],"redacted":false}',NULL);
INSERT INTO "step" VALUES('ffa2dc93728e79dc',2,2,'{"kind":"reply","round":0,"text":"A cat, and a list.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.01851086500028032,"left_out":[],"history_from":0,"sent_tokens":null,"enveloped":true,"outside":true}',NULL);
INSERT INTO "step" VALUES('ffa2dc93728e79dc',2,3,'{"kind":"outcome","state":"done","notice":null,"notice_text":null,"partial":"","seconds":0.019550486000298406,"refused":false,"enveloped":true,"history_from":0}',NULL);
INSERT INTO "step" VALUES('651a5be257374442',1,1,'{"kind":"prompt","text":"And I am Grace.","source_id":"1576729024644775936","version":0,"author":{"id":"100000000000000022","name":"Grace"},"mentions":{},"quoted":null,"attachments":[],"redacted":false}',NULL);
INSERT INTO "step" VALUES('651a5be257374442',1,2,'{"kind":"reply","round":0,"text":"Hello Grace.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.01267125300000771,"left_out":[],"history_from":0,"sent_tokens":null,"enveloped":true,"outside":true}',NULL);
INSERT INTO "step" VALUES('651a5be257374442',1,3,'{"kind":"outcome","state":"done","notice":null,"notice_text":null,"partial":"","seconds":0.0137324079987593,"refused":false,"enveloped":true,"history_from":0}',NULL);
INSERT INTO "step" VALUES('acabeaae914aa339',1,1,'{"kind":"prompt","text":"This fails.","source_id":"1576729024774799360","version":0,"author":{"id":"100000000000000021","name":"Ada"},"mentions":{},"quoted":null,"attachments":[],"redacted":false}',NULL);
INSERT INTO "step" VALUES('acabeaae914aa339',1,2,'{"kind":"outcome","state":"failed","notice":"The model service at 127.0.0.1 refused the request (400). It said: this is not allowed","notice_text":{"id":"{part0}{between}{part1}","plural":null,"values":{"between":" ","part0":{"id":"{service} refused the request ({status}).","plural":null,"values":{"service":{"id":"The model service at {host}","plural":null,"values":{"host":"127.0.0.1"}},"status":400}},"part1":{"id":"It said: {words}","plural":null,"values":{"words":"this is not allowed"}}}},"partial":"","seconds":0.008710378999239765,"refused":true,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('d1b31b80ec6d5511',1,1,'{"kind":"prompt","text":"Tell me a story.","source_id":"1576729024862879744","version":0,"author":{"id":"100000000000000021","name":"Ada"},"mentions":{},"quoted":null,"attachments":[],"redacted":false}',NULL);
INSERT INTO "step" VALUES('d1b31b80ec6d5511',1,2,'{"kind":"outcome","state":"stopped","notice":"Stopped.","notice_text":{"id":"Stopped.","plural":null,"values":{}},"partial":"Once upon ","seconds":0.028180385999803548,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('f0505af15a257fac',1,1,'{"kind":"prompt","text":"Write to them.","source_id":"1576729025047429121","version":0,"author":{"id":"100000000000000021","name":"Ada"},"mentions":{},"quoted":null,"attachments":[],"redacted":false}',NULL);
INSERT INTO "step" VALUES('f0505af15a257fac',1,2,'{"kind":"reply","round":0,"text":"","tool_calls":[{"id":"8aslzHhhC","name":"send_email","arguments":"{\"to\": \"test@example.com\", \"subject\": \"Hello\", \"body\": \"Approved\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.005609268999251071,"left_out":[],"history_from":0,"sent_tokens":858,"enveloped":false,"outside":false}',NULL);
INSERT INTO "step" VALUES('f0505af15a257fac',1,3,'{"kind":"waiting","round":0,"call_id":"8aslzHhhC","deadline":"2126-11-05T22:38:13.804591Z","fingerprint":"5988af49a061282b127e17f6005ec488cb5f9ec83cff1badd075d57e1e902c25","allows_always":false}',NULL);
INSERT INTO "step" VALUES('f0505af15a257fac',1,4,'{"kind":"decision","call_id":"8aslzHhhC","approved":true,"decided_by":{"id":"100000000000000021","name":"Ada"},"reason":null,"always":false}',NULL);
INSERT INTO "step" VALUES('f0505af15a257fac',1,5,'{"kind":"started","round":0,"call_id":"8aslzHhhC","at":"2026-11-29T22:38:13.926042Z"}',NULL);
INSERT INTO "step" VALUES('f0505af15a257fac',1,6,'{"kind":"result","round":0,"result":{"call_id":"8aslzHhhC","name":"send_email","content":"Not sent, because no mail server is configured: written to data/outbox/20261129-223813-ec486e9e.eml","ok":true,"done":false,"shown":null,"outside":false},"seconds":0.008346379001523019}',NULL);
INSERT INTO "step" VALUES('f0505af15a257fac',1,7,'{"kind":"reply","round":1,"text":"It is sent.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.0070807310003146995,"left_out":[],"history_from":0,"sent_tokens":981,"enveloped":false,"outside":false}',NULL);
INSERT INTO "step" VALUES('f0505af15a257fac',1,8,'{"kind":"outcome","state":"done","notice":null,"notice_text":null,"partial":"","seconds":0.15957268000056501,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('e9227784157fc184',1,1,'{"kind":"prompt","text":"What is 24*7?","source_id":"1576729023776555008","version":0,"author":{"id":"100000000000000021","name":"Ada"},"mentions":{},"quoted":null,"attachments":[],"redacted":false}',NULL);
INSERT INTO "step" VALUES('e9227784157fc184',1,2,'{"kind":"reply","round":0,"text":"","tool_calls":[{"id":"YZdY9PbzD","name":"calculate","arguments":"{\"expression\": \"24*7\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.005250026000794605,"left_out":[],"history_from":0,"sent_tokens":856,"enveloped":false,"outside":false}',NULL);
INSERT INTO "step" VALUES('e9227784157fc184',1,3,'{"kind":"started","round":0,"call_id":"YZdY9PbzD","at":"2026-11-29T22:38:13.512489Z"}',NULL);
INSERT INTO "step" VALUES('e9227784157fc184',1,4,'{"kind":"result","round":0,"result":{"call_id":"YZdY9PbzD","name":"calculate","content":"168","ok":true,"done":true,"shown":null,"outside":false},"seconds":0.0030816109992883867}',NULL);
INSERT INTO "step" VALUES('e9227784157fc184',1,5,'{"kind":"reply","round":1,"text":"It is 168.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.006194498000695603,"left_out":[],"history_from":0,"sent_tokens":930,"enveloped":false,"outside":false}',NULL);
INSERT INTO "step" VALUES('e9227784157fc184',1,6,'{"kind":"outcome","state":"done","notice":null,"notice_text":null,"partial":"","seconds":0.0310700120007823,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('d0d5fef1aed2ba62',1,1,'{"kind":"prompt","text":"What is this?","source_id":"1576729024145653760","version":0,"author":{"id":"100000000000000021","name":"Ada"},"mentions":{},"quoted":null,"attachments":[{"name":"cat.png","media_type":"image/png","size":24,"id":"1576729024145653761","text":null,"image":0,"note":null,"note_text":null},{"name":"list.txt","media_type":"application/octet-stream","size":11,"id":"1576729024145653762","text":"milk, bread","image":null,"note":null,"note_text":null}],"redacted":false}',NULL);
INSERT INTO "step" VALUES('d0d5fef1aed2ba62',1,2,'{"kind":"reply","round":0,"text":"A cat, and a list.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.01851086500028032,"left_out":[],"history_from":0,"sent_tokens":null,"enveloped":true,"outside":true}',NULL);
INSERT INTO "step" VALUES('d0d5fef1aed2ba62',1,3,'{"kind":"outcome","state":"done","notice":null,"notice_text":null,"partial":"","seconds":0.019550486000298406,"refused":false,"enveloped":true,"history_from":0}',NULL);
INSERT INTO "step" VALUES('ca43abd13b195a64',1,1,'{"kind":"prompt","text":"And I am Grace.","source_id":"1576729024644775936","version":0,"author":{"id":"100000000000000022","name":"Grace"},"mentions":{},"quoted":null,"attachments":[],"redacted":false}',NULL);
INSERT INTO "step" VALUES('ca43abd13b195a64',1,2,'{"kind":"reply","round":0,"text":"Hello Grace.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.01267125300000771,"left_out":[],"history_from":0,"sent_tokens":null,"enveloped":true,"outside":true}',NULL);
INSERT INTO "step" VALUES('ca43abd13b195a64',1,3,'{"kind":"outcome","state":"done","notice":null,"notice_text":null,"partial":"","seconds":0.0137324079987593,"refused":false,"enveloped":true,"history_from":0}',NULL);
INSERT INTO "step" VALUES('db3a7cfaa265d54b',1,1,'{"kind":"prompt","text":"Line 1","source_id":"0a1b2c3d-1","version":0,"author":{"id":"ann","name":"ann"},"mentions":{},"quoted":null,"attachments":[],"redacted":false}',NULL);
INSERT INTO "step" VALUES('db3a7cfaa265d54b',1,2,'{"kind":"reply","round":0,"text":"Answer 1.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.002910025999881327,"left_out":[],"history_from":0,"sent_tokens":855,"enveloped":false,"outside":false}',NULL);
INSERT INTO "step" VALUES('db3a7cfaa265d54b',1,3,'{"kind":"outcome","state":"done","notice":null,"notice_text":null,"partial":"","seconds":0.003202428999429685,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('be8767b6bebae56a',1,1,'{"kind":"prompt","text":"Line 2","source_id":"0a1b2c3d-2","version":0,"author":{"id":"ann","name":"ann"},"mentions":{},"quoted":null,"attachments":[],"redacted":false}',NULL);
INSERT INTO "step" VALUES('be8767b6bebae56a',1,2,'{"kind":"reply","round":0,"text":"Answer 2.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.0026776209997478873,"left_out":[],"history_from":0,"sent_tokens":904,"enveloped":false,"outside":false}',NULL);
INSERT INTO "step" VALUES('be8767b6bebae56a',1,3,'{"kind":"outcome","state":"done","notice":null,"notice_text":null,"partial":"","seconds":0.0029649070002051303,"refused":false,"enveloped":false,"history_from":0}',NULL);
INSERT INTO "step" VALUES('66f3b226722a3204',1,1,'{"kind":"prompt","text":"Order a pizza.","source_id":"1576729026037284864","version":0,"author":{"id":"100000000000000021","name":"Ada"},"mentions":{},"quoted":null,"attachments":[],"redacted":false}',NULL);
INSERT INTO "step" VALUES('66f3b226722a3204',1,2,'{"kind":"reply","round":0,"text":"Let me order.","tool_calls":[{"id":"2FXsb5Pr1","name":"order_pizza","arguments":"{\"size\": \"large\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.011067284998716787,"left_out":[],"history_from":0,"sent_tokens":944,"enveloped":false,"outside":false}',NULL);
INSERT INTO "step" VALUES('66f3b226722a3204',1,3,'{"kind":"started","round":0,"call_id":"2FXsb5Pr1","at":"2026-11-29T22:38:14.037146Z"}',NULL);
INSERT INTO "step" VALUES('dc8f34cb6a376aae',1,1,'{"kind":"prompt","text":"Are you there?","source_id":"1576729026553184256","version":0,"author":{"id":"100000000000000022","name":"Grace"},"mentions":{},"quoted":null,"attachments":[],"redacted":false}',NULL);
INSERT INTO "step" VALUES('513f3ac51effcb38',1,1,'{"kind":"prompt","text":"Write to them too.","source_id":"1576729026553184259","version":0,"author":{"id":"100000000000000021","name":"Ada"},"mentions":{},"quoted":null,"attachments":[],"redacted":false}',NULL);
INSERT INTO "step" VALUES('513f3ac51effcb38',1,2,'{"kind":"reply","round":0,"text":"","tool_calls":[{"id":"roxz7AFM0","name":"send_email","arguments":"{\"to\": \"test@example.com\", \"subject\": \"Hello\", \"body\": \"Waiting\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0,"reasoning_tokens":0},"seconds":0.0047842450003372505,"left_out":[],"history_from":0,"sent_tokens":858,"enveloped":false,"outside":false}',NULL);
INSERT INTO "step" VALUES('513f3ac51effcb38',1,3,'{"kind":"waiting","round":0,"call_id":"roxz7AFM0","deadline":"2126-11-05T22:38:14.164714Z","fingerprint":"d553dfdfea4a6e09381cfa20f53379261aa501f001726b0dacc7067f4d1e5c2a","allows_always":false}',NULL);
CREATE TABLE stop_request (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            attempt BIGINT NOT NULL,
            PRIMARY KEY (turn_id, attempt)
        );
INSERT INTO "stop_request" VALUES('d1b31b80ec6d5511',1);
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
INSERT INTO "turn" VALUES('9867889e61997bf6','discord:100000000000000011',1,1,0,'done','b8570332559f3e29','discord','{"channel_id": "100000000000000011", "message_id": "1576729023776555008", "cards": "normal", "language": "en", "kind": "channel", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',1,'100000000000000011',100000000000000001,NULL,2,1795991893488445);
INSERT INTO "turn" VALUES('ffa2dc93728e79dc','discord:100000000000000011',2,2,0,'done','b8570332559f3e29','discord','{"channel_id": "100000000000000011", "message_id": "1576729024145653760", "cards": "normal", "language": "en", "kind": "channel", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',3,'100000000000000011',100000000000000001,NULL,1,1795991893573048);
INSERT INTO "turn" VALUES('651a5be257374442','discord:100000000000000011',3,1,0,'done','b8570332559f3e29','discord','{"channel_id": "100000000000000011", "message_id": "1576729024644775936", "cards": "normal", "language": "en", "kind": "channel", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',1,'100000000000000011',100000000000000001,NULL,1,1795991893686174);
INSERT INTO "turn" VALUES('acabeaae914aa339','discord:100000000000000012',1,1,0,'failed','b8570332559f3e29','discord','{"channel_id": "100000000000000012", "message_id": "1576729024774799360", "cards": "normal", "language": "en", "kind": "channel", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',1,'100000000000000012',100000000000000001,NULL,1,1795991893717723);
INSERT INTO "turn" VALUES('d1b31b80ec6d5511','discord:100000000000000012',2,1,0,'stopped','b8570332559f3e29','discord','{"channel_id": "100000000000000012", "message_id": "1576729024862879744", "cards": "normal", "language": "en", "kind": "channel", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',1,'100000000000000012',100000000000000001,NULL,2,1795991893737874);
INSERT INTO "turn" VALUES('f0505af15a257fac','discord:1576729025047429120',1,1,0,'done','b8570332559f3e29','discord','{"channel_id": "1576729025047429120", "message_id": "1576729025047429121", "cards": "normal", "language": "en", "kind": "dm"}',1,'1576729025047429120',NULL,NULL,2,1795991893788114);
INSERT INTO "turn" VALUES('e9227784157fc184','discord:1576729025861124096',1,1,0,'done','b8570332559f3e29','branch','{}',0,NULL,NULL,'9867889e61997bf6',0,1795991893488445);
INSERT INTO "turn" VALUES('d0d5fef1aed2ba62','discord:1576729025861124096',2,1,0,'done','b8570332559f3e29','branch','{}',0,NULL,NULL,'ffa2dc93728e79dc',0,1795991893573048);
INSERT INTO "turn" VALUES('ca43abd13b195a64','discord:1576729025861124096',3,1,0,'done','b8570332559f3e29','branch','{}',0,NULL,NULL,'651a5be257374442',0,1795991893686174);
INSERT INTO "turn" VALUES('db3a7cfaa265d54b','terminal:0a1b2c3d',1,1,0,'done','b8570332559f3e29','terminal','{}',1,NULL,NULL,NULL,0,1795991893988092);
INSERT INTO "turn" VALUES('be8767b6bebae56a','terminal:0a1b2c3d',2,1,0,'done','b8570332559f3e29','terminal','{}',1,NULL,NULL,NULL,0,1795991894004199);
INSERT INTO "turn" VALUES('66f3b226722a3204','discord:100000000000000012',3,1,0,'running','b8570332559f3e29','discord','{"channel_id": "100000000000000012", "message_id": "1576729026037284864", "cards": "normal", "language": "en", "kind": "channel", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',1,'100000000000000012',100000000000000001,NULL,2,1795991894017554);
INSERT INTO "turn" VALUES('dc8f34cb6a376aae','discord:100000000000000012',4,1,0,'queued','b8570332559f3e29','discord','{"channel_id": "100000000000000012", "message_id": "1576729026553184256", "cards": "normal", "language": "en", "kind": "channel", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',0,'100000000000000012',100000000000000001,NULL,0,1795991894141609);
INSERT INTO "turn" VALUES('513f3ac51effcb38','discord:1576729026553184257',1,1,0,'waiting','b8570332559f3e29','discord','{"channel_id": "1576729026553184257", "message_id": "1576729026553184259", "cards": "normal", "language": "en", "kind": "thread", "parent_id": "100000000000000011", "category_id": "100000000000000013", "guild_id": "100000000000000001"}',1,'1576729026553184257',100000000000000001,NULL,1,1795991894151344);
CREATE INDEX delivery_message ON delivery (message_id);
CREATE INDEX login_at ON login (source, at);
CREATE UNIQUE INDEX one_running ON turn (session_id) WHERE state IN ('running', 'waiting');
CREATE INDEX turn_open ON turn (session_id, seq) WHERE state IN ('queued', 'running', 'waiting');
CREATE INDEX turn_copies ON turn (copied_from) WHERE copied_from IS NOT NULL;
CREATE VIEW open_turn AS SELECT * FROM turn WHERE state IN ('queued', 'running', 'waiting');
CREATE VIEW ended_turn AS SELECT * FROM turn WHERE state IN ('done', 'failed', 'stopped');
CREATE INDEX cursor_newest ON cursor_of_place (source, position);
CREATE INDEX turn_guild ON turn (source, guild, created_at);
CREATE INDEX turn_place ON turn (source, place, created_at);
CREATE INDEX inbox_turn ON inbox (turn_id);
CREATE INDEX session_used ON session (updated_at, id);
CREATE INDEX session_listed ON session (listed_under, updated_at, id);
CREATE INDEX turn_owner ON turn (owner) WHERE state IN ('queued', 'running', 'waiting');
CREATE INDEX turn_source ON turn (state, source) WHERE state IN ('queued', 'running', 'waiting');
CREATE INDEX delivery_unsent ON delivery (sent, turn_id) WHERE sent = 0;
CREATE INDEX cursor_kind ON cursor_of_place (source, (COALESCE(guild, 0)), kind, position, place);
CREATE INDEX cursor_parent ON cursor_of_place (source, parent) WHERE parent IS NOT NULL;
CREATE INDEX spent_day ON spent (day);
COMMIT;
